/* SPDX-License-Identifier: Apache-2.0 */
/* Workers; see worker.h. The session is in session.c. */
#include "stream/worker.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/session.h"

enum { PAUSE_MIN_MS = 100, PAUSE_MAX_MS = 2000, FENCED_MAX = 5, FENCED_WINDOW_MS = 60000 };

struct shoal_worker {
    struct shoal_worker_options options;
    pthread_t thread;
    atomic_bool ended;
    atomic_uint turns;
    enum shoal_status status; /* valid once ended */
};

static void pause_ms(const struct shoal_worker *worker, int ms)
{
    for (int waited = 0; waited < ms && !atomic_load(worker->options.stop); waited += 50) {
        struct timespec step = {.tv_nsec = 50000000};
        nanosleep(&step, NULL);
    }
}

/* Being fenced is normal when a sleeper wakes up: it starts over as a member like any other. Being
 * fenced again and again means that two processes use one name. */
static bool fenced_too_often(int64_t times[FENCED_MAX])
{
    memmove(times, times + 1, (FENCED_MAX - 1) * sizeof *times);
    times[FENCED_MAX - 1] = shoal_clock_ms();
    return times[0] != 0 && times[FENCED_MAX - 1] - times[0] < FENCED_WINDOW_MS;
}

static void *run(void *opaque)
{
    struct shoal_worker *worker = opaque;
    const struct shoal_worker_options *o = &worker->options;
    struct shoal_nag nag = {0};
    int64_t fenced_ms[FENCED_MAX] = {0};
    int wait_ms = PAUSE_MIN_MS;
    enum shoal_status status = SHOAL_OK;
    while (!atomic_load(o->stop)) {
        struct shoal_message message = {.text = ""};
        bool worked = false;
        session_turn(o);
        status = shoal_session_run(o, &worked, &message);
        if (status == SHOAL_OK || status == SHOAL_INTERRUPTED) {
            status = SHOAL_OK;
            break;
        }
        const struct shoal_log_field why = SHOAL_FIELD_TEXT("status", shoal_status_code(status));
        bool again = shoal_status_class(status) == SHOAL_CLASS_RETRY ||
                     (status == SHOAL_FENCED && !fenced_too_often(fenced_ms));
        if (!again) {
            shoal_log_fields(&o->log, SHOAL_ERROR, &why, 1, "%s: %s%s", shoal_status_code(status),
                            message.text,
                            status == SHOAL_FENCED && o->instance
                                ? "; again and again: do two processes have one instance.id?"
                                : "");
            break;
        }
        if (worked) {
            wait_ms = PAUSE_MIN_MS;
            nag = (struct shoal_nag){0};
        }
        if (shoal_nag_due(&nag))
            shoal_log_fields(&o->log, SHOAL_WARNING, &why, 1, "%s: %s; starting over from the last commit",
                            shoal_status_code(status), message.text);
        pause_ms(worker, wait_ms);
        wait_ms = wait_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : wait_ms * 2;
        status = SHOAL_OK;
    }
    worker->status = status;
    atomic_store(&worker->ended, true);
    return NULL;
}

enum shoal_status shoal_worker_start(const struct shoal_worker_options *options,
                                     struct shoal_worker **result, struct shoal_message *message)
{
    *result = NULL;
    struct shoal_worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    worker->options = *options;
    worker->options.log.worker = options->index;
    worker->options.turns = &worker->turns;
    if (pthread_create(&worker->thread, NULL, run, worker) != 0) {
        free(worker);
        return shoal_fail(message, SHOAL_NOMEM, "cannot start a thread");
    }
    *result = worker;
    return SHOAL_OK;
}

bool shoal_worker_ended(struct shoal_worker *worker, enum shoal_status *status)
{
    if (!atomic_load(&worker->ended))
        return false;
    *status = worker->status;
    return true;
}

bool shoal_worker_working(const struct shoal_worker *worker)
{
    return shoal_telemetry_working(worker->options.telemetry, worker->options.index);
}

unsigned shoal_worker_turns(const struct shoal_worker *worker)
{
    return atomic_load(&worker->turns);
}

void shoal_worker_join(struct shoal_worker *worker)
{
    if (!worker)
        return;
    pthread_join(worker->thread, NULL);
    free(worker);
}
