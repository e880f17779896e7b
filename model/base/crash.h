/* SPDX-License-Identifier: Apache-2.0 */
/* Labelled points at which a test can have the process killed, as if by kill -9 at that very
 * instruction: no handler runs, no buffer is flushed.
 *
 * SHOAL_CRASH="label" ends the process the first time it passes shoal_crash_point("label"),
 * SHOAL_CRASH="label:3" the third time. SHOAL_STOP="label:3" puts it to sleep there instead (SIGSTOP),
 * to be woken up when another owner has taken over; with SHOAL_HANG="label:3" only the thread that comes
 * there stands still, for ever. Passes of all threads count together. The variables are read once. Built without crash_points, the call is nothing. */
#ifndef SHOAL_BASE_CRASH_H
#define SHOAL_BASE_CRASH_H

#ifdef SHOAL_CRASH_POINTS
void shoal_crash_point(const char *label);
#else
static inline void shoal_crash_point(const char *label)
{
    (void)label;
}
#endif

#endif
