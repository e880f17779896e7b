/* SPDX-License-Identifier: Apache-2.0 */
/* Users one after another in B streams; see streams.h. */
#include "model/learn/streams.h"

#include <stdlib.h>

enum shoal_status shoal_streams_init(struct shoal_streams *streams, size_t batch,
                                     const size_t *first, const size_t *lengths,
                                     const uint32_t *order, size_t users_count)
{
    *streams = (struct shoal_streams){
        .first = first,
        .lengths = lengths,
        .order = order,
        .users_count = users_count,
        .streams = calloc(batch, sizeof *streams->streams),
        .batch = batch,
    };
    return streams->streams ? SHOAL_OK : SHOAL_NOMEM;
}

void shoal_streams_finish(struct shoal_streams *streams)
{
    free(streams->streams);
    *streams = (struct shoal_streams){0};
}

static void skip_empty(struct shoal_streams *streams)
{
    while (streams->users_taken < streams->users_count &&
           streams->lengths[streams->order[streams->users_taken]] == 0)
        streams->users_taken++;
}

bool shoal_streams_next(struct shoal_streams *streams, size_t b, size_t *event, bool *starts)
{
    struct shoal_stream *stream = &streams->streams[b];
    *starts = stream->next == stream->end;
    if (*starts) {
        skip_empty(streams);
        if (streams->users_taken == streams->users_count)
            return false;
        uint32_t user = streams->order[streams->users_taken++];
        stream->next = streams->first[user];
        stream->end = stream->next + streams->lengths[user];
    }
    *event = stream->next++;
    return true;
}

bool shoal_streams_left(const struct shoal_streams *streams)
{
    for (size_t b = 0; b < streams->batch; b++)
        if (streams->streams[b].next < streams->streams[b].end)
            return true;
    for (size_t i = streams->users_taken; i < streams->users_count; i++)
        if (streams->lengths[streams->order[i]] > 0)
            return true;
    return false;
}
