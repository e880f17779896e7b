/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers as text: is it one, and which.
 *
 * The C library's strtod is slower, reads what JSON does not have (hexadecimal, "inf", leading
 * space) and needs a zero behind the text; it serves the rare long numbers only. Its decimal point
 * is that of the locale, which nothing here ever sets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stream/event_fields.h"

/* A decimal number taken apart; digits beyond the 19th of the mantissa are only counted. */
struct decimal {
    bool negative, is_integer, is_padded, is_long;
    uint64_t mantissa;
    int exponent; /* value = mantissa · 10^exponent */
};

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

static void take_digit(struct decimal *number, char c, int *digits)
{
    if (*digits == 19)
        number->is_long = true;
    else if (number->mantissa || c != '0') {
        number->mantissa = number->mantissa * 10 + (uint64_t)(c - '0');
        ++*digits;
    }
}

static bool scan_decimal(const char *text, size_t size, struct decimal *number)
{
    const char *at = text, *end = text + size;
    int digits = 0;
    *number = (struct decimal){.is_integer = true};
    if (at != end && *at == '-') {
        number->negative = true;
        at++;
    }
    if (at == end || !is_digit(*at))
        return false;
    number->is_padded = *at == '0' && end - at > 1 && is_digit(at[1]);
    for (; at != end && is_digit(*at); at++)
        take_digit(number, *at, &digits);
    if (at != end && *at == '.') {
        number->is_integer = false;
        if (++at == end || !is_digit(*at))
            return false;
        for (; at != end && is_digit(*at); at++) {
            take_digit(number, *at, &digits);
            number->exponent--;
        }
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        number->is_integer = false;
        int sign = 1, exponent = 0;
        if (++at != end && (*at == '+' || *at == '-'))
            sign = *at++ == '-' ? -1 : 1;
        if (at == end || !is_digit(*at))
            return false;
        for (; at != end && is_digit(*at); at++)
            exponent = exponent < 100000 ? exponent * 10 + (*at - '0') : exponent;
        number->exponent += sign * exponent;
    }
    return at == end;
}

bool shoal_number_scan(const char *text, size_t size, bool *is_integer, bool *is_padded)
{
    struct decimal number;
    bool ok = scan_decimal(text, size, &number);
    *is_integer = number.is_integer;
    *is_padded = number.is_padded;
    return ok;
}

/* Numbers of up to 15 digits with a small exponent are one exact operation on two exact doubles
 * (W. Clinger, "How to Read Floating Point Numbers Accurately", 1990), so correctly rounded; the
 * rest goes to strtod. */
bool shoal_number_parse(const char *text, size_t size, double *number)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal decimal;
    if (!scan_decimal(text, size, &decimal))
        return false;
    double value;
    if (!decimal.is_long && decimal.mantissa < (1ULL << 53) && decimal.exponent >= -22 &&
        decimal.exponent <= 22) {
        value = (double)decimal.mantissa;
        value = decimal.exponent < 0 ? value / powers[-decimal.exponent]
                                     : value * powers[decimal.exponent];
        value = decimal.negative ? -value : value;
    } else {
        char copy[512];
        if (size >= sizeof copy)
            return false;
        memcpy(copy, text, size);
        copy[size] = '\0';
        value = strtod(copy, NULL);
    }
    *number = value;
    return isfinite(value);
}
