/* SPDX-License-Identifier: Apache-2.0 */
/* What accepts connections, reads and sends (libmicrohttpd), with the certificate that is in force.
 *
 * A certificate cannot be changed under a running one. So a renewed certificate gets a daemon of its own on the same
 * listening socket, and the one before accepts no more: it serves the connections that it has, and ends with the last
 * of them. Nobody is cut off, and no connection finds the door closed. */
#ifndef SHOAL_HTTP_DAEMON_H
#define SHOAL_HTTP_DAEMON_H

#include <microhttpd.h>

#include "stream/http_internal.h"

/* Serves http->fd. CONFIG: a certificate or key that cannot be used. */
enum shoal_status http_daemon_start(struct shoal_http *http, struct shoal_message *message) SHOAL_MUST_CHECK;
/* Takes up a certificate or key that has changed, and ends daemons without connections. False as long as the files are
 * refused. */
bool http_daemon_renew(struct shoal_http *http);
/* Every sleeping connection has been woken. */
void http_daemons_stop(struct shoal_http *http);

/* ---- http.c: what it calls ------------------------------------------------------------------- */

enum MHD_Result http_answer(void *http, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *upload, size_t *upload_size, void **state);
void http_completed(void *http, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode code);

#endif
