/* SPDX-License-Identifier: Apache-2.0 */
/* Terminal by termios and ANSI escapes; see terminal.h. */
#include "tools/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t asked_to_end;
static struct termios before;
static bool is_open;

static void on_end(int number)
{
    (void)number;
    asked_to_end = 1;
}

static void on_size(int number)
{
    (void)number; /* only interrupts the wait */
}

static void say(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t done = write(STDOUT_FILENO, text, size);
        if (done < 0 && errno != EINTR)
            return;
        if (done > 0) {
            text += done;
            size -= (size_t)done;
        }
    }
}

void shoal_terminal_size(int *columns, int *rows)
{
    struct winsize size = {0};
    bool known = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    *columns = known ? size.ws_col : 0;
    *rows = known ? size.ws_row : 0;
}

bool shoal_terminal_open(void)
{
    static const char begin[] = "\033[?1049h\033[?25l"; /* the other screen, no cursor */
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    struct sigaction end = {.sa_handler = on_end}, size = {.sa_handler = on_size};
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGHUP, &end, NULL);
    sigaction(SIGWINCH, &size, NULL);
    signal(SIGTSTP, SIG_IGN);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0)
        return false;
    is_open = true;
    say(begin, sizeof begin - 1);
    return true;
}

void shoal_terminal_close(void)
{
    static const char end[] = "\033[?25h\033[?1049l";
    if (!is_open)
        return;
    is_open = false;
    say(end, sizeof end - 1);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

int shoal_terminal_wait(int timeout_ms)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (asked_to_end)
        return -1;
    int ready = poll(&input, 1, timeout_ms);
    char key;
    if (asked_to_end || (ready > 0 && (input.revents & (POLLHUP | POLLERR))))
        return -1;
    return ready > 0 && read(STDIN_FILENO, &key, 1) == 1 ? (unsigned char)key : 0;
}

void shoal_terminal_draw(const char *text, size_t size)
{
    static const char home[] = "\033[H", rest[] = "\033[J";
    say(home, sizeof home - 1);
    while (size > 0) { /* what was there behind each line goes */
        const char *end = memchr(text, '\n', size);
        size_t line = end ? (size_t)(end - text) : size;
        say(text, line);
        say("\033[K\n", 4);
        line += end != NULL;
        text += line;
        size -= line;
    }
    say(rest, sizeof rest - 1);
}
