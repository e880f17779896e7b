/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdatomic.h>

#include "model/learn/team.h"

enum { PARTS = 1000 };

struct job {
    atomic_int calls[PARTS];
    long result[PARTS];
};

static void part(void *opaque, size_t index)
{
    struct job *job = opaque;
    atomic_fetch_add(&job->calls[index], 1);
    job->result[index] = (long)(index * index);
}

static void do_jobs(unsigned threads)
{
    static struct job job;
    struct shoal_team *team;
    cr_assert_eq(shoal_team_create(threads, &team), SHOAL_OK);
    for (int round = 1; round <= 300; round++) {
        size_t count = (size_t)(round * 7919) % (PARTS + 1);
        job = (struct job){0};
        shoal_team_run(team, count, part, &job);
        for (size_t i = 0; i < PARTS; i++) {
            cr_assert_eq(atomic_load(&job.calls[i]), i < count);
            cr_assert_eq(job.result[i], i < count ? (long)(i * i) : 0);
        }
    }
    shoal_team_destroy(team);
}

Test(team, one_thread_does_every_part_once)
{
    do_jobs(1);
}

Test(team, many_threads_do_every_part_once_and_are_done_when_the_job_is)
{
    do_jobs(5);
}

Test(team, a_team_without_a_job_can_be_dissolved)
{
    struct shoal_team *team;
    cr_assert_eq(shoal_team_create(0, &team), SHOAL_OK);
    cr_expect_geq(shoal_team_threads(team), 1);
    shoal_team_destroy(team);
    shoal_team_destroy(NULL);
}
