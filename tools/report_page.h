/* SPDX-License-Identifier: Apache-2.0 */
/* The page of `shoal report` as bytes of the program: what stands before the data and what after them. Made by
 * report_page/embed.py of the files there and of Chart.js. */
#ifndef SHOAL_REPORT_PAGE_H
#define SHOAL_REPORT_PAGE_H

#include <stddef.h>

extern const unsigned char shoal_report_page_head[], shoal_report_page_tail[];
extern const size_t shoal_report_page_head_size, shoal_report_page_tail_size;

#endif
