/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the service manager how far we are, by the protocol of sd_notify(3): one datagram to the socket
 * that NOTIFY_SOCKET names. Without that variable nothing happens, and nothing depends on its arriving. */
#ifndef SHOAL_NOTIFY_H
#define SHOAL_NOTIFY_H

/* Lines of KEY=VALUE: "READY=1", "STOPPING=1", "STATUS=waiting for the broker". */
void shoal_notify(const char *lines);

#endif
