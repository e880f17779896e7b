/* SPDX-License-Identifier: Apache-2.0 */
/* A stable name for this process in the consumer group, so that a quick restart comes back as the
 * same static member and the same transactional producer. */
#ifndef SHOAL_INSTANCE_H
#define SHOAL_INSTANCE_H

#include "model/base/status.h"

struct shoal_instance {
    char name[160];
    int slot_fd; /* holds the slot until the process ends; −1: none held */
};

/* `configured`: the name to use; empty: host name and the first slot that is free on this host,
 * "web1-0", "web1-1" … A slot is held as an abstract Unix socket, which the kernel frees with the
 * process, however it ends. */
enum shoal_status shoal_instance_claim(const char *configured, const char *group,
                                       struct shoal_instance *instance,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_instance_release(struct shoal_instance *instance);

#endif
