/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target without a fuzzer, as an ordinary test: every file of a folder, and of each
 * file simple mutations from a fixed seed, so that every run does the same.
 *
 *   fuzz_TARGET FOLDER [ROUNDS]     ROUNDS mutations of each file, 2000 unless given
 *
 * Mutations: one bit flipped at every position of short files (a spread of positions of long ones),
 * every truncation likewise, and then ROUNDS random ones that flip, overwrite, insert, remove,
 * repeat, cut, or splice with another file of the folder. Each input is handed over in a block of
 * exactly its size, so that AddressSanitizer sees a read past its end. Exit code 0: nothing
 * crashed; 2: wrong usage, or no file, which must not pass for a test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { FILES_MAX = 1024, FILE_BYTES_MAX = 1 << 22, POSITIONS_MAX = 1500, GROWTH_MAX = 64 };

struct input {
    char *name;
    uint8_t *bytes;
    size_t size;
};

static uint64_t random_state = 0x9e3779b97f4a7c15u;
static uint64_t inputs_count;

/* 0 … bound − 1 (xorshift64*); 0 if bound is 0. */
static size_t random_below(size_t bound)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return bound ? (size_t)((random_state * 2685821657736338717u) >> 16) % bound : 0;
}

static void *allocate(size_t size)
{
    void *block = malloc(size ? size : 1);
    if (!block) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return block;
}

static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = allocate(size);
    if (size)
        memcpy(copy, bytes, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    inputs_count++;
    free(copy);
}

static void run_flips_and_truncations(const struct input *input)
{
    uint8_t *copy = allocate(input->size);
    size_t step = input->size / POSITIONS_MAX + 1;
    memcpy(copy, input->bytes, input->size);
    for (size_t i = 0; i < input->size; i += step) {
        run(copy, i);
        uint8_t flip = (uint8_t)(1u << random_below(8));
        copy[i] ^= flip;
        run(copy, input->size);
        copy[i] ^= flip;
    }
    free(copy);
}

/* One random change of `bytes` (room for GROWTH_MAX more); returns the new size. */
static size_t mutate(uint8_t *bytes, size_t size, const struct input *other)
{
    size_t at = random_below(size), length = 1 + random_below(GROWTH_MAX / 4);
    if (length > size - at)
        length = size - at;
    switch (random_below(6)) {
    case 0:
        if (size)
            bytes[at] ^= (uint8_t)(1u << random_below(8));
        return size;
    case 1:
        if (size) {
            static const uint8_t values[] = {0x00, 0x7f, 0x80, 0xff, '"', '{', 0xc0, 0xdf};
            bytes[at] = values[random_below(sizeof values)];
        }
        return size;
    case 2: /* repeat a part */
        memmove(bytes + at + length, bytes + at, size - at);
        return size + length;
    case 3: /* remove a part */
        memmove(bytes + at, bytes + at + length, size - at - length);
        return size - length;
    case 4: /* a part of another file over this one */
        if (other->size) {
            size_t from = random_below(other->size);
            if (length > other->size - from)
                length = other->size - from;
            memcpy(bytes + at, other->bytes + from, length);
        }
        return size;
    default:
        return random_below(4) ? size : random_below(size + 1);
    }
}

static void run_random(const struct input *inputs, size_t count, size_t which, long rounds)
{
    enum { CHANGES_MAX = 4 };
    const struct input *input = &inputs[which];
    uint8_t *copy = allocate(input->size + CHANGES_MAX * GROWTH_MAX);
    for (long round = 0; round < rounds; round++) {
        size_t size = input->size;
        memcpy(copy, input->bytes, size);
        for (size_t change = 1 + random_below(CHANGES_MAX); change > 0; change--)
            size = mutate(copy, size, &inputs[random_below(count)]);
        run(copy, size);
    }
    free(copy);
}

static struct input read_file(const char *folder, const char *name)
{
    struct input input = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    input.bytes = allocate(FILE_BYTES_MAX);
    input.name = strdup(name);
    if (file)
        input.size = fread(input.bytes, 1, FILE_BYTES_MAX, file);
    if (!file || !input.name || ferror(file)) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    fclose(file);
    return input;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct input *)left)->name, ((const struct input *)right)->name);
}

/* Files in the order of their names: a folder's own order differs between machines. */
static size_t read_folder(const char *folder, struct input *inputs)
{
    size_t count = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && count < FILES_MAX && (entry = readdir(entries));)
        if (entry->d_name[0] != '.')
            inputs[count++] = read_file(folder, entry->d_name);
    if (entries)
        closedir(entries);
    qsort(inputs, count, sizeof *inputs, by_name);
    return count;
}

int main(int argc, char **argv)
{
    static struct input inputs[FILES_MAX];
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s FOLDER [ROUNDS]\n", argv[0]);
        return 2;
    }
    long rounds = argc == 3 ? strtol(argv[2], NULL, 10) : 2000;
    size_t count = read_folder(argv[1], inputs);
    if (!count) {
        fprintf(stderr, "%s: no file to replay\n", argv[1]);
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        run(inputs[i].bytes, inputs[i].size);
        run_flips_and_truncations(&inputs[i]);
        run_random(inputs, count, i, rounds);
    }
    for (size_t i = 0; i < count; i++) {
        free(inputs[i].name);
        free(inputs[i].bytes);
    }
    printf("%zu files, %llu inputs\n", count, (unsigned long long)inputs_count);
    return 0;
}
