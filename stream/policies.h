/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of a process: the promotions file as it is now, and those of the past that a recovery asks
 * for.
 *
 * The file is looked at now and then. When it has changed and is the same at two looks, so that nobody is
 * writing it, it is read; if it can be, it becomes the latest policy, and if it cannot, that is logged once
 * with its line and reason and the one before stays.
 *
 * Each policy is kept in a folder before it is used, HISTORY/<version>.yaml, the version being that of its
 * bytes: so the events of the log can be decided again under the policy they were decided under.
 *
 * Policies are counted: each one handed out is given back with shoal_policies_release, and what nobody holds
 * is freed. Shared by all threads of the process. Wherever a registry is taken, NULL is one without a
 * policy. */
#ifndef SHOAL_POLICIES_H
#define SHOAL_POLICIES_H

#include "stream/log.h"
#include "stream/policy.h"

struct shoal_policies;

struct shoal_policies_options {
    const char *path;    /* "": there is no policy, for good */
    const char *history; /* folder; "": the path with ".history" behind it */
    bool keep;           /* write policies into it; else only read there */
};

/* As shoal_policy_load. A folder that cannot be written is logged: a recovery may miss policies then. */
enum shoal_status shoal_policies_open(const struct shoal_policies_options *options,
                                      const struct shoal_log *log,
                                      struct shoal_policies **policies,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* Everything must have been given back. */
void shoal_policies_close(struct shoal_policies *policies);
/* Looks at the file. Nothing has changed: cheap. True if there is a new policy. */
bool shoal_policies_refresh(struct shoal_policies *policies, const struct shoal_log *log);
/* The latest one, NULL if there is none; to be given back. */
const struct shoal_policy *shoal_policies_latest(struct shoal_policies *policies);
/* Its id, 0 if there is none. */
uint64_t shoal_policies_latest_id(const struct shoal_policies *policies);
/* The policy of an id, from memory or from the folder; to be given back. Id 0: NULL, OK. NOT_FOUND, or as
 * shoal_policy_load; DAMAGED if the file is not what its name says. */
enum shoal_status shoal_policies_find(struct shoal_policies *policies, uint64_t id,
                                      const struct shoal_policy **policy,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* NULL is allowed. */
void shoal_policies_release(struct shoal_policies *policies, const struct shoal_policy *policy);
/* Policies in memory, for tests. */
size_t shoal_policies_count(struct shoal_policies *policies);

#endif
