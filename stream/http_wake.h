/* SPDX-License-Identifier: Apache-2.0 */
/* How a thread that has an answer wakes the connection that sleeps for it. */
#ifndef SHOAL_HTTP_WAKE_H
#define SHOAL_HTTP_WAKE_H

struct http_request;

void http_wake(struct http_request *r);

#endif
