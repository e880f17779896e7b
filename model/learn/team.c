/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that wait for jobs; see team.h. A job is short (half a millisecond), so a thread looks for the
 * next one for a moment before it goes to sleep. */
#include "model/learn/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOKS = 2000 };

struct shoal_team {
    pthread_mutex_t lock; /* guards the change of job and the sleepers */
    pthread_cond_t called, finished;
    pthread_t threads[SHOAL_TEAM_MAX];
    unsigned threads_count; /* without the caller */
    atomic_uint job;        /* number of the current job */
    atomic_bool over;
    void (*part)(void *context, size_t index);
    void *context;
    size_t count;
    atomic_size_t next;   /* part to be taken next */
    atomic_uint working;  /* threads that have not yet finished the current job */
};

static void work(struct shoal_team *team)
{
    for (size_t index; (index = atomic_fetch_add(&team->next, 1)) < team->count;)
        team->part(team->context, index);
}

/* Waits for a job other than `seen`; false when the team is dissolved. */
static bool wait_for_job(struct shoal_team *team, unsigned seen)
{
    for (int i = 0; i < LOOKS; i++) {
        if (atomic_load(&team->job) != seen)
            return !atomic_load(&team->over);
        __builtin_ia32_pause();
    }
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&team->job) == seen)
        pthread_cond_wait(&team->called, &team->lock);
    pthread_mutex_unlock(&team->lock);
    return !atomic_load(&team->over);
}

static void *live(void *opaque)
{
    struct shoal_team *team = opaque;
    for (unsigned seen = 0; wait_for_job(team, seen);) {
        seen = atomic_load(&team->job);
        work(team);
        if (atomic_fetch_sub(&team->working, 1) == 1) {
            pthread_mutex_lock(&team->lock);
            pthread_cond_signal(&team->finished);
            pthread_mutex_unlock(&team->lock);
        }
    }
    return NULL;
}

enum shoal_status shoal_team_create(unsigned threads, struct shoal_team **team)
{
    *team = NULL;
    struct shoal_team *made = calloc(1, sizeof *made);
    if (!made)
        return SHOAL_NOMEM;
    if (threads == 0) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        threads = processors > 1 ? (unsigned)processors : 1;
    }
    if (threads > SHOAL_TEAM_MAX)
        threads = SHOAL_TEAM_MAX;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->called, NULL);
    pthread_cond_init(&made->finished, NULL);
    /* A thread that cannot be had is done without. */
    while (made->threads_count + 1 < threads &&
           pthread_create(&made->threads[made->threads_count], NULL, live, made) == 0)
        made->threads_count++;
    *team = made;
    return SHOAL_OK;
}

static void call(struct shoal_team *team)
{
    pthread_mutex_lock(&team->lock);
    atomic_fetch_add(&team->job, 1);
    pthread_cond_broadcast(&team->called);
    pthread_mutex_unlock(&team->lock);
}

void shoal_team_destroy(struct shoal_team *team)
{
    if (!team)
        return;
    atomic_store(&team->over, true);
    call(team);
    for (unsigned i = 0; i < team->threads_count; i++)
        pthread_join(team->threads[i], NULL);
    pthread_mutex_destroy(&team->lock);
    pthread_cond_destroy(&team->called);
    pthread_cond_destroy(&team->finished);
    free(team);
}

unsigned shoal_team_threads(const struct shoal_team *team)
{
    return team->threads_count + 1;
}

void shoal_team_run(struct shoal_team *team, size_t count,
                    void (*part)(void *context, size_t index), void *context)
{
    team->part = part;
    team->context = context;
    team->count = count;
    atomic_store(&team->next, 0);
    atomic_store(&team->working, team->threads_count);
    if (team->threads_count > 0 && count > 1)
        call(team);
    else
        atomic_store(&team->working, 0);
    work(team);
    for (int i = 0; i < LOOKS && atomic_load(&team->working) > 0; i++)
        __builtin_ia32_pause();
    if (atomic_load(&team->working) == 0)
        return;
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&team->working) > 0)
        pthread_cond_wait(&team->finished, &team->lock);
    pthread_mutex_unlock(&team->lock);
}
