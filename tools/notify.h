/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the service manager how far we are, by the protocol of sd_notify(3): one datagram to the socket
 * that NOTIFY_SOCKET names. Without that variable nothing happens, and nothing depends on its arriving. */
#ifndef SHOAL_NOTIFY_H
#define SHOAL_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines of KEY=VALUE: "READY=1", "STOPPING=1", "STATUS=waiting for the broker". */
void shoal_notify(const char *lines);

/* The manager's watchdog (WatchdogSec=): it ends a process that does not say WATCHDOG=1 in time, and starts it
 * again. Here a beat says: every worker has come around since the last one. So a process in which one of them hangs
 * is ended between one and one and a quarter intervals later. */
enum { SHOAL_WATCHDOG_WORKERS = 256 };

struct shoal_watchdog {
    int64_t every_ms; /* between two beats; 0: nobody waits for any */
    int64_t beaten_ms;
    unsigned seen[SHOAL_WATCHDOG_WORKERS];
};

/* From WATCHDOG_USEC and WATCHDOG_PID, which the manager sets. */
void shoal_watchdog_init(struct shoal_watchdog *watchdog);
/* `turns[i]`: a number that changes whenever worker i comes around, which a waiting one does too. Sends a beat if one is
 * due and every number differs from that at the last beat. True if it did. */
bool shoal_watchdog_beat(struct shoal_watchdog *watchdog, int64_t now_ms, const unsigned *turns, size_t count);

#endif
