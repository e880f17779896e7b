/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus' text format; see samples.h. The text is cut up in place: names and values of labels end with a
 * zero byte where a quote, a brace or a blank stood. */
#include "tools/samples.h"

#include <stdlib.h>
#include <string.h>

static const char name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:";

void shoal_samples_finish(struct shoal_samples *samples)
{
    free(samples->list);
    free(samples->text);
    *samples = (struct shoal_samples){0};
}

/* A quoted value from *at (behind the opening quote) on, unescaped where it stands; NULL if it does not end. */
static const char *read_value(char **at)
{
    char *from = *at, *to = *at, *value = *at;
    for (; *from && *from != '"'; from++) {
        if (*from == '\\') {
            from++;
            if (*from != 'n' && *from != '\\' && *from != '"')
                return NULL;
            *to++ = *from == 'n' ? '\n' : *from;
        } else {
            *to++ = *from;
        }
    }
    if (*from != '"')
        return NULL;
    *to = '\0';
    *at = from + 1;
    return value;
}

/* What stands between the braces; *at is behind the opening one, then behind the closing one. */
static const char *read_labels(char **at, struct shoal_sample *sample)
{
    while (**at != '}') {
        if (sample->labels_count == SHOAL_SAMPLE_LABELS_MAX)
            return "too many labels";
        size_t size = strspn(*at, name_letters);
        char *name = *at;
        if (size == 0 || name[size] != '=' || name[size + 1] != '"')
            return "a label is no name=\"value\"";
        name[size] = '\0';
        *at = name + size + 2;
        const char *value = read_value(at);
        if (!value)
            return "a label's value does not end";
        sample->labels[sample->labels_count].name = name;
        sample->labels[sample->labels_count++].value = value;
        if (**at == ',')
            ++*at;
        else if (**at != '}')
            return "no comma between labels";
    }
    ++*at;
    return NULL;
}

/* What is wrong with a line that is no comment; NULL: nothing. */
static const char *read_line(char *at, struct shoal_sample *sample)
{
    size_t size = strspn(at, name_letters);
    *sample = (struct shoal_sample){.name = at};
    if (size == 0)
        return "no name";
    char behind = at[size];
    at[size] = '\0';
    at += size + 1;
    if (behind == '{') {
        const char *wrong = read_labels(&at, sample);
        if (wrong)
            return wrong;
        if (*at != ' ')
            return "no value";
        at++;
    } else if (behind != ' ') {
        return "no value";
    }
    char *end;
    sample->value = strtod(at, &end); /* also NaN and +Inf; a time may follow */
    return end == at || (*end && *end != ' ') ? "the value is no number" : NULL;
}

static enum shoal_status add(struct shoal_samples *samples, const struct shoal_sample *sample)
{
    if (samples->count == samples->capacity) {
        size_t capacity = samples->capacity ? 2 * samples->capacity : 256;
        struct shoal_sample *grown = reallocarray(samples->list, capacity, sizeof *grown);
        if (!grown)
            return SHOAL_NOMEM;
        samples->list = grown;
        samples->capacity = capacity;
    }
    samples->list[samples->count++] = *sample;
    return SHOAL_OK;
}

enum shoal_status shoal_samples_read(struct shoal_samples *samples, const void *text, size_t size,
                                     struct shoal_message *message)
{
    enum shoal_status status = SHOAL_OK;
    size_t number = 0;
    shoal_samples_finish(samples);
    if (size > 0 && memchr(text, '\0', size))
        return shoal_fail(message, SHOAL_DAMAGED, "not text");
    samples->text = calloc(1, size + 1);
    if (!samples->text)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (size > 0)
        memcpy(samples->text, text, size);
    char *rest = samples->text;
    for (char *line; status == SHOAL_OK && (line = strsep(&rest, "\n"));) {
        struct shoal_sample sample;
        number++;
        if (*line == '\0' || *line == '#')
            continue;
        const char *wrong = read_line(line, &sample);
        if (wrong)
            status = shoal_fail(message, SHOAL_DAMAGED, "not the text format of metrics: line %zu: %s",
                                number, wrong);
        else if (add(samples, &sample) != SHOAL_OK)
            status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    if (status != SHOAL_OK)
        shoal_samples_finish(samples);
    return status;
}

const char *shoal_sample_label(const struct shoal_sample *sample, const char *label)
{
    for (size_t i = 0; i < sample->labels_count; i++) {
        if (strcmp(sample->labels[i].name, label) == 0)
            return sample->labels[i].value;
    }
    return NULL;
}

bool shoal_sample_is(const struct shoal_sample *sample, const char *name, const char *label,
                     const char *value)
{
    if (strcmp(sample->name, name) != 0)
        return false;
    const char *has = label ? shoal_sample_label(sample, label) : NULL;
    return !label || (has && strcmp(has, value) == 0);
}

static bool same(const struct shoal_sample *a, const struct shoal_sample *b)
{
    if (a->labels_count != b->labels_count || strcmp(a->name, b->name) != 0)
        return false;
    for (size_t i = 0; i < a->labels_count; i++) {
        const char *value = shoal_sample_label(b, a->labels[i].name);
        if (!value || strcmp(value, a->labels[i].value) != 0)
            return false;
    }
    return true;
}

const struct shoal_sample *shoal_samples_find(const struct shoal_samples *samples,
                                              const struct shoal_sample *like)
{
    for (size_t i = 0; i < samples->count; i++) {
        if (same(&samples->list[i], like))
            return &samples->list[i];
    }
    return NULL;
}
