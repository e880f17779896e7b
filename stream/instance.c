/* SPDX-License-Identifier: Apache-2.0 */
/* Instance names; see instance.h. */
#include "stream/instance.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SLOTS = 1000 };

/* 1: the slot is ours, 0: somebody has it, −1: sockets do not work. */
static int claim_slot(const char *group, int slot, int *fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int size = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "shoal/%.80s/%d", group,
                        slot);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return -1;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size);
    if (bind(*fd, (struct sockaddr *)&address, length) == 0)
        return 1;
    int error = errno;
    close(*fd);
    *fd = -1;
    return error == EADDRINUSE ? 0 : -1;
}

enum shoal_status shoal_instance_claim(const char *configured, const char *group,
                                       struct shoal_instance *instance,
                                       struct shoal_message *message)
{
    *instance = (struct shoal_instance){.slot_fd = -1};
    if (configured[0]) {
        if (strlen(configured) >= sizeof instance->name)
            return shoal_fail(message, SHOAL_CONFIG, "instance.id is longer than %zu bytes",
                              sizeof instance->name - 1);
        snprintf(instance->name, sizeof instance->name, "%s", configured);
        return SHOAL_OK;
    }
    char host[128] = "host";
    if (gethostname(host, sizeof host - 1) != 0)
        strcpy(host, "host");
    for (int slot = 0; slot < SLOTS; slot++) {
        int claimed = claim_slot(group, slot, &instance->slot_fd);
        if (claimed < 0)
            break;
        if (claimed == 0)
            continue;
        snprintf(instance->name, sizeof instance->name, "%s-%d", host, slot);
        return SHOAL_OK;
    }
    return shoal_fail(message, SHOAL_CONFIG,
                      "no free instance slot on this host: set instance.id");
}

void shoal_instance_release(struct shoal_instance *instance)
{
    if (instance->slot_fd >= 0)
        close(instance->slot_fd);
    instance->slot_fd = -1;
}
