/* SPDX-License-Identifier: Apache-2.0 */
/* A leak check for the end of a test's body: tests are forked, and what they leak is reported
 * neither at their exit nor for the parent. Does something only under AddressSanitizer. */
#ifndef SHOAL_TESTS_LEAKS_H
#define SHOAL_TESTS_LEAKS_H

#include <criterion/criterion.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define test_no_leaks() cr_assert_eq(__lsan_do_recoverable_leak_check(), 0, "memory leaked")
#else
#define test_no_leaks() (void)0
#endif

#endif
