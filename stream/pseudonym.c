/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudonyms by libsodium; see pseudonym.h. The only file that sees the library.
 *
 * BLAKE2b takes its key as a block of its own before the message, so a pseudonym costs two blocks. The key lies in
 * memory that is kept out of swap and of core dumps, where the system allows it. */
#include "stream/pseudonym.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HASH_BYTES = 16, DIGITS = 2 * SHOAL_PSEUDONYM_KEY_BYTES };

struct shoal_pseudonyms {
    uint64_t fingerprint;
    unsigned char key[SHOAL_PSEUDONYM_KEY_BYTES];
};

static enum shoal_status begin(struct shoal_message *message)
{
    return sodium_init() >= 0 ? SHOAL_OK
                              : shoal_fail(message, SHOAL_CONFIG, "libsodium cannot be used here");
}

/* Digits, and nothing behind them but the end of the line. */
static bool read_digits(const char *text, size_t size, unsigned char *key)
{
    size_t made;
    const char *end;
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    return size == DIGITS &&
           sodium_hex2bin(key, SHOAL_PSEUDONYM_KEY_BYTES, text, size, NULL, &made, &end) == 0 &&
           made == SHOAL_PSEUDONYM_KEY_BYTES && end == text + size;
}

static enum shoal_status read_key(const char *path, unsigned char *key, struct shoal_message *message)
{
    char text[DIGITS + 8];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : read(file, text, sizeof text);
    int error = errno;
    if (file >= 0)
        close(file);
    bool good = got >= 0 && read_digits(text, (size_t)got, key);
    sodium_memzero(text, sizeof text);
    if (got < 0)
        return shoal_fail(message, SHOAL_CONFIG, "privacy.pseudonym_key: '%s' cannot be read: %s", path,
                          strerror(error));
    return good ? SHOAL_OK
                : shoal_fail(message, SHOAL_CONFIG,
                             "privacy.pseudonym_key: '%s' does not hold 64 hexadecimal digits (shoal "
                             "pseudonym --new-key makes a key)",
                             path);
}

static uint64_t fingerprint_of(const unsigned char *key)
{
    static const unsigned char text[] = "shoal key fingerprint";
    unsigned char hash[HASH_BYTES];
    uint64_t fingerprint = 0;
    crypto_generichash(hash, sizeof hash, text, sizeof text - 1, key, SHOAL_PSEUDONYM_KEY_BYTES);
    for (size_t i = 0; i < sizeof fingerprint; i++)
        fingerprint = fingerprint << 8 | hash[i];
    return fingerprint ? fingerprint : 1;
}

enum shoal_status shoal_pseudonyms_load(const char *path, struct shoal_pseudonyms **pseudonyms,
                                        struct shoal_message *message)
{
    *pseudonyms = NULL;
    enum shoal_status status = begin(message);
    if (status != SHOAL_OK)
        return status;
    struct shoal_pseudonyms *made = sodium_malloc(sizeof *made);
    if (!made)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    status = read_key(path, made->key, message);
    if (status != SHOAL_OK) {
        sodium_free(made);
        return status;
    }
    made->fingerprint = fingerprint_of(made->key);
    sodium_mprotect_readonly(made);
    *pseudonyms = made;
    return SHOAL_OK;
}

void shoal_pseudonyms_destroy(struct shoal_pseudonyms *pseudonyms)
{
    if (pseudonyms)
        sodium_free(pseudonyms); /* which wipes it */
}

/* RFC 4648 in lower case without padding: 128 bits are 25 letters and three bits more. */
static void print_base32(const unsigned char *hash, char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < HASH_BYTES; i++) {
        bits = bits << 8 | hash[i];
        for (count += 8; count >= 5; count -= 5)
            *text++ = letters[bits >> (count - 5) & 31];
    }
    *text++ = letters[bits << (5 - count) & 31];
    *text = '\0';
}

void shoal_pseudonym_of(const struct shoal_pseudonyms *pseudonyms, const char *user, size_t user_size,
                        char text[SHOAL_PSEUDONYM_SIZE + 1])
{
    unsigned char hash[HASH_BYTES];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)user, user_size, pseudonyms->key,
                       sizeof pseudonyms->key);
    print_base32(hash, text);
}

uint64_t shoal_pseudonyms_fingerprint(const struct shoal_pseudonyms *pseudonyms)
{
    return pseudonyms->fingerprint;
}

enum shoal_status shoal_pseudonyms_new_key(const char *path, struct shoal_message *message)
{
    unsigned char key[SHOAL_PSEUDONYM_KEY_BYTES];
    char text[DIGITS + 2];
    enum shoal_status status = begin(message);
    if (status != SHOAL_OK)
        return status;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return shoal_fail(message, SHOAL_IO, "'%s' cannot be made: %s", path, strerror(errno));
    randombytes_buf(key, sizeof key);
    sodium_bin2hex(text, sizeof text, key, sizeof key);
    text[DIGITS] = '\n';
    bool written = write(file, text, DIGITS + 1) == DIGITS + 1 && fsync(file) == 0;
    written = close(file) == 0 && written;
    sodium_memzero(key, sizeof key);
    sodium_memzero(text, sizeof text);
    return written ? SHOAL_OK
                   : shoal_fail(message, SHOAL_IO, "'%s' cannot be written: %s", path, strerror(errno));
}
