/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units; see units.h. */
#include "stream/units.h"

#include <string.h>

struct unit {
    const char *name;
    int64_t size;
};

/* Longer names before those that they start with. */
static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};
static const struct unit byte_units[] = {
    {"KiB", 1024},
    {"MiB", 1 << 20},
    {"GiB", 1 << 30},
    {"B", 1},
};
static const int64_t MOST_MS = INT64_C(86400000) * 100000;

/* Reads digits[.digits] into value·10^−decimals; at most 15 digits, so that nothing overflows. */
static bool read_decimal(const char **at, int64_t *value, int64_t *scale)
{
    const char *p = *at;
    int digits = 0;
    *value = 0;
    *scale = 1;
    for (; *p >= '0' && *p <= '9'; p++, digits++) {
        if (digits == 15)
            return false;
        *value = *value * 10 + (*p - '0');
    }
    if (digits == 0)
        return false;
    if (*p == '.') {
        const char *point = p++;
        for (; *p >= '0' && *p <= '9'; p++, digits++) {
            if (digits == 15 || *scale == 1000)
                return false;
            *value = *value * 10 + (*p - '0');
            *scale *= 10;
        }
        if (p == point + 1)
            return false;
    }
    *at = p;
    return true;
}

static const struct unit *read_unit(const char **at, const struct unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(units[i].name);
        if (strncmp(*at, units[i].name, size) == 0) {
            *at += size;
            return &units[i];
        }
    }
    return NULL;
}

bool shoal_duration_parse(const char *text, int64_t *duration_ms)
{
    if (strcmp(text, "0") == 0) {
        *duration_ms = 0;
        return true;
    }
    int64_t total = 0, largest = INT64_MAX;
    do {
        int64_t value, scale;
        if (!read_decimal(&text, &value, &scale))
            return false;
        const struct unit *unit =
            read_unit(&text, duration_units, sizeof duration_units / sizeof *duration_units);
        /* Units fall, so that "30m1h" and "5m5m" are typing errors. */
        if (!unit || unit->size >= largest || value / scale > MOST_MS / unit->size ||
            value * unit->size % scale != 0)
            return false;
        largest = unit->size;
        total += value * unit->size / scale;
    } while (*text);
    if (total > MOST_MS)
        return false;
    *duration_ms = total;
    return true;
}

bool shoal_bytes_parse(const char *text, int64_t *bytes)
{
    int64_t value, scale;
    if (!read_decimal(&text, &value, &scale) || scale != 1)
        return false;
    const struct unit *unit = read_unit(&text, byte_units, sizeof byte_units / sizeof *byte_units);
    int64_t size = unit ? unit->size : 1;
    if (*text || value > INT64_MAX / size)
        return false;
    *bytes = value * size;
    return true;
}

bool shoal_integer_parse(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    text += negative;
    if (!*text)
        return false;
    int64_t total = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(total, 10, &total) ||
            __builtin_sub_overflow(total, *text - '0', &total))
            return false;
    }
    /* Kept negative until here, because INT64_MIN has no positive twin. */
    if (!negative && total == INT64_MIN)
        return false;
    *value = negative ? total : -total;
    return true;
}

/* By hand, because strtod follows the locale and takes "nan", "0x1p3" and leading space. */
bool shoal_real_parse(const char *text, double *value)
{
    bool negative = *text == '-';
    text += negative;
    double total = 0, divisor = 1;
    int digits = 0, decimals = 0;
    for (; *text >= '0' && *text <= '9'; text++, digits++)
        total = total * 10 + (*text - '0');
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++, decimals++) {
            total = total * 10 + (*text - '0');
            divisor *= 10;
        }
    }
    if (*text || digits + decimals == 0 || digits + decimals > 15)
        return false;
    *value = (negative ? -total : total) / divisor;
    return true;
}

bool shoal_share_parse(const char *text, double *share)
{
    char number[32];
    size_t size = strlen(text);
    bool percent = size > 0 && text[size - 1] == '%';
    size -= percent;
    while (percent && size > 0 && text[size - 1] == ' ')
        size--;
    if (size >= sizeof number)
        return false;
    memcpy(number, text, size);
    number[size] = '\0';
    if (!shoal_real_parse(number, share))
        return false;
    if (percent)
        *share /= 100;
    return true;
}

static size_t print_count(uint64_t value, const char *unit, char *text)
{
    char digits[20];
    size_t count = 0, size = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    while (count > 0)
        text[size++] = digits[--count];
    while (*unit)
        text[size++] = *unit++;
    return size;
}

size_t shoal_duration_print(int64_t duration_ms, char text[SHOAL_DURATION_TEXT])
{
    static const struct unit units[] = {
        {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
    };
    size_t size = 0;
    uint64_t left = duration_ms < 0 ? -(uint64_t)duration_ms : (uint64_t)duration_ms;
    if (duration_ms < 0)
        text[size++] = '-';
    if (left == 0)
        size += print_count(0, "s", text + size);
    int printed = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units && printed < 2; i++) {
        uint64_t count = left / (uint64_t)units[i].size;
        left %= (uint64_t)units[i].size;
        /* The second unit is the next one below, or none: "1d", not "1d5s". */
        if (count > 0)
            size += print_count(count, units[i].name, text + size);
        if (count > 0 || printed > 0)
            printed++;
    }
    text[size] = '\0';
    return size;
}
