/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of this process. */
#ifndef SHOAL_PROCESS_FIGURES_H
#define SHOAL_PROCESS_FIGURES_H

#include <stdint.h>

struct shoal_process_figures {
    double cpu_s;
    uint64_t resident_bytes, virtual_bytes;
    uint64_t fds, max_fds;
    double start_s; /* since 1970 */
};

/* What cannot be read is 0. Any thread. */
struct shoal_process_figures shoal_process_figures(void);

#endif
