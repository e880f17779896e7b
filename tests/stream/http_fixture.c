/* SPDX-License-Identifier: Apache-2.0 */
/* A server and requests to it; see http_fixture.h. */
#include "tests/stream/http_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "model/models_dir.h"
#include "stream/partition_state.h"
#include "tests/model/tiny_items.h"
#include "tests/state/random_record.h"

const struct shoal_log quiet = {.level = SHOAL_ERROR, .worker = -1};
static const char policy_text[] = "promotions:\n"
                                  "  - id: welcome\n"
                                  "    triggers: [pv]\n"
                                  "    segments: {intent: [cold, warm, hot]}\n"
                                  "    control: 0.5\n";

static bool is_ready(void *opaque, struct shoal_put *put)
{
    struct server *s = opaque;
    shoal_put_text(put, "kafka", s->ready ? "ok" : "away");
    return s->ready;
}

static void metrics(void *opaque, struct shoal_buffer *out)
{
    (void)opaque;
    shoal_buffer_append(out, "up 1\n", 5);
}

void set(struct server *s, const char *key, const char *value)
{
    char text[256];
    struct shoal_message message = {.text = ""};
    snprintf(text, sizeof text, "%s=%s", key, value);
    cr_assert_eq(shoal_config_set(s->config, text, &message), SHOAL_OK, "%s", message.text);
}

/* A user "ann" in partition 0 of two, "b/b" in partition 1. */
static void save_users(struct server *s, const struct shoal_dims *dims)
{
    struct shoal_redis_options options = {.url = s->redis.url, .topic = "shoal.events"};
    struct shoal_message message = {.text = ""};
    struct shoal_store *store;
    float *hc = calloc(2 * dims->hidden, sizeof *hc);
    uint64_t seed = 7;
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(store->ops->open(store, 2, &message), SHOAL_OK, "%s", message.text);
    for (int32_t p = 0; p < 2; p++) {
        struct shoal_checkpoint before;
        struct shoal_record record;
        struct shoal_buffer bytes = {0}, state_bytes = {0};
        struct shoal_partition_state state = {0};
        shoal_watermark_init(&state.watermark);
        shoal_budgets_init(&state.budgets);
        shoal_record_init(&record, dims->hidden, hc);
        test_usual_record(&record, &seed);
        record.model = s->model;
        state.watermark.time_ms = record.last_ms + 3600000;
        shoal_tally_come(&state.tally, NULL, &record);
        shoal_record_encode(&record, SHOAL_FP16, &bytes);
        shoal_partition_state_encode(&state, &state_bytes);
        struct shoal_save_item items[] = {
            {.user = p ? (struct shoal_slice){"b/b", 3} : (struct shoal_slice){"ann", 3},
             .value = {bytes.bytes, bytes.size}},
            {.user = {"", 0}, .value = {state_bytes.bytes, state_bytes.size}},
        };
        cr_assert_eq(store->ops->acquire(store, p, &before, &message), SHOAL_OK, "%s", message.text);
        cr_assert_eq(store->ops->save(store, p, items, 2, 10, s->model, &message), SHOAL_OK, "%s",
                     message.text);
        shoal_buffer_finish(&bytes);
        shoal_buffer_finish(&state_bytes);
    }
    store->ops->destroy(store);
    free(hc);
}

static void write_policy(const struct server *s)
{
    char path[128];
    snprintf(path, sizeof path, "%s/promotions.yaml", s->folder);
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    fputs(s->policy ? s->policy : policy_text, out);
    fclose(out);
}

void begin_with(struct server *s, const char *const *settings)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_message message = {.text = ""};
    char path[128];
    s->ready = true;
    test_redis_start(&s->redis, NULL);
    strcpy(s->folder, "/tmp/shoal-http-XXXXXX");
    cr_assert_not_null(mkdtemp(s->folder));
    snprintf(path, sizeof path, "%s/models", s->folder);
    struct shoal_model *model = tiny_model(&dims, 1);
    if (s->items)
        model->items = tiny_items(s->items, 16, dims.hidden, 3);
    shoal_items_bind(model->items, model);
    cr_assert_eq(shoal_models_add(path, model, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_models_select(path, model->version, &message), SHOAL_OK, "%s", message.text);
    s->model = model->id;
    shoal_model_destroy(model);
    cr_assert_eq(shoal_config_create(&s->config), SHOAL_OK);
    set(s, "redis.url", s->redis.url);
    set(s, "model.path", path);
    set(s, "http.listen", "127.0.0.1:0");
    for (; settings && *settings; settings += 2)
        set(s, settings[0], settings[1]);
    cr_assert_eq(shoal_models_open(path, &s->models, &message), SHOAL_OK, "%s", message.text);
    write_policy(s);
    snprintf(path, sizeof path, "%s/promotions.yaml", s->folder);
    struct shoal_policies_options policies = {.path = path, .history = ""};
    cr_assert_eq(shoal_policies_open(&policies, &quiet, &s->policies, &message), SHOAL_OK, "%s", message.text);
    save_users(s, &dims);
    struct shoal_http_options options = {
        .config = s->config,
        .models = s->models,
        .policies = s->policies,
        .log = s->log ? s->log : &quiet,
        .version = "1.2.3",
        .hooks = {.ready = is_ready, .metrics = metrics, .opaque = s},
    };
    cr_assert_eq(shoal_http_start(&options, &s->http, &message), SHOAL_OK, "%s", message.text);
    shoal_http_partitions(s->http, 2);
}

void begin(struct server *s, const char *const *settings)
{
    *s = (struct server){0};
    begin_with(s, settings);
}

void end(struct server *s)
{
    char command[128];
    shoal_http_stop(s->http);
    shoal_policies_close(s->policies);
    shoal_models_close(s->models);
    shoal_config_destroy(s->config);
    test_redis_stop(&s->redis);
    snprintf(command, sizeof command, "rm -r %s", s->folder);
    cr_assert_eq(system(command), 0);
}

/* ---- asking -------------------------------------------------------------------------------- */

int dial(const struct server *s)
{
    const char *port = strrchr(shoal_http_url(s->http), ':') + 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0, "%s", strerror(errno));
    return fd;
}

/* Reads until the peer closes, or for two seconds without a byte; zero-terminated. */
size_t read_all(int fd, char *text, size_t room)
{
    size_t size = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (size + 1 < room && poll(&ready, 1, 2000) > 0) {
        ssize_t got = read(fd, text + size, room - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    text[size] = '\0';
    return size;
}

struct http_answer answer;

/* A request of its own connection; headers: further lines, each with \r\n, or "". */
int ask(const struct server *s, const char *method, const char *path, const char *headers)
{
    static char request[16 << 10];
    int fd = dial(s);
    int size = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
                        method, path, headers);
    cr_assert(size > 0 && (size_t)size < sizeof request);
    cr_assert_eq(send(fd, request, (size_t)size, MSG_NOSIGNAL), size);
    read_all(fd, answer.text, sizeof answer.text);
    close(fd);
    answer.status = 0;
    sscanf(answer.text, "HTTP/1.1 %d", &answer.status);
    return answer.status;
}

int get(const struct server *s, const char *path)
{
    return ask(s, "GET", path, "");
}

/* Reads a stream until the text comes, at most ten seconds. */
bool reads(int fd, const char *text)
{
    int64_t until_ms = shoal_clock_ms() + 10000;
    size_t size = 0;
    answer.text[0] = '\0';
    while (!strstr(answer.text, text) && shoal_clock_ms() < until_ms) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&ready, 1, 1000) > 0
                          ? read(fd, answer.text + size, sizeof answer.text - 1 - size) : -1;
        if (got == 0)
            break;
        size += got > 0 ? (size_t)got : 0;
        answer.text[size] = '\0';
    }
    return strstr(answer.text, text) != NULL;
}
