/* SPDX-License-Identifier: Apache-2.0 */
/* Figures read from Prometheus' text format 0.0.4, and questions about them. */
#ifndef SHOAL_SAMPLES_H
#define SHOAL_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/pack.h"

enum { SHOAL_SAMPLE_LABELS_MAX = 8 };

struct shoal_sample {
    const char *name;
    struct {
        const char *name, *value;
    } labels[SHOAL_SAMPLE_LABELS_MAX];
    size_t labels_count;
    double value;
};

/* Zero-initialised: none. */
struct shoal_samples {
    struct shoal_sample *list; /* owned; in the order of the text */
    size_t count, capacity;
    char *text; /* owned; what the list points into */
};

void shoal_samples_finish(struct shoal_samples *samples);
/* Replaces what was there. DAMAGED with the line for what is not the format; NOMEM. On failure empty. */
enum shoal_status shoal_samples_read(struct shoal_samples *samples, const void *text, size_t size,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* Value of a label, NULL if the sample has none of that name. */
const char *shoal_sample_label(const struct shoal_sample *sample, const char *label);
/* Is it of that name, and (label NULL: any) has it that value of the label? */
bool shoal_sample_is(const struct shoal_sample *sample, const char *name, const char *label,
                     const char *value);
/* The first one with the same name and labels; NULL. */
const struct shoal_sample *shoal_samples_find(const struct shoal_samples *samples,
                                              const struct shoal_sample *like);

#endif
