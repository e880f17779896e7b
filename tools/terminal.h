/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal that a view is drawn on: its size, its keys, and its state put back however the program ends. */
#ifndef SHOAL_TERMINAL_H
#define SHOAL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Size of the terminal at standard output; 0 where it is none. */
void shoal_terminal_size(int *columns, int *rows);
/* Takes it over: no echo, key by key, the other screen, no cursor. SIGINT, SIGTERM and SIGHUP put it back and
 * end the view; SIGTSTP is ignored. False if standard input or output is no terminal. */
bool shoal_terminal_open(void);
/* As it was before. */
void shoal_terminal_close(void);
/* Waits for a key, a change of size or the end of the time: the key, 0 for none, −1 when a signal asked to
 * end. */
int shoal_terminal_wait(int timeout_ms);
/* Replaces what is shown. */
void shoal_terminal_draw(const char *text, size_t size);

#endif
