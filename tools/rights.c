/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up rights; see rights.h. By system calls: libcap would be a library for one call. */
#include "tools/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void warn(const struct shoal_log *log, const char *what)
{
    shoal_log_write(log, SHOAL_WARNING, "%s: %s", what, strerror(errno));
}

/* The bounding set first: it can only be cut down while the right to do so is still there. */
static void drop_capabilities(const struct shoal_log *log)
{
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); /* EPERM: there are none to lose */
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capset, &header, none) != 0)
        warn(log, "capabilities cannot be dropped");
}

void shoal_rights_drop(bool debug, const struct shoal_log *log)
{
    umask(077);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        warn(log, "new privileges cannot be ruled out");
    drop_capabilities(log);
    if (!debug && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        warn(log, "core dumps cannot be ruled out");
    if (geteuid() == 0)
        shoal_log_write(log, SHOAL_WARNING,
                        "running as root, which a processor does not need: give it a user of its own "
                        "(systemd: DynamicUser=yes; a container: --user 65532), who can read the model, the "
                        "promotions and the files with secrets");
}
