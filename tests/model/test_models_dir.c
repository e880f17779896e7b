/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "model/models_dir.h"
#include "tests/model/tiny_model.h"

static char folder[] = "/tmp/shoal-models-XXXXXX";
static char dir[64];
static struct shoal_message message;

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(dir, sizeof dir, "%s/models", folder);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(models_dir, .init = setup, .fini = teardown);

/* Adds the tiny model of this seed; its version. */
static void add(uint64_t seed, char version[17])
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, seed);
    cr_assert_not_null(model);
    cr_assert_eq(shoal_models_add(dir, model, &message), SHOAL_OK, "%s", message.text);
    memcpy(version, model->version, 17);
    shoal_model_destroy(model);
}

static void path_in(const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", dir, name);
}

static void file_of(const char *version, char path[256])
{
    snprintf(path, 256, "%s/%s.shoal", dir, version);
}

static enum shoal_status load(const char *version)
{
    struct shoal_model *model;
    enum shoal_status status = shoal_models_load(dir, version, &model, &message);
    cr_assert_eq(status == SHOAL_OK, model != NULL);
    shoal_model_destroy(model);
    return status;
}

static void says(const char *text)
{
    cr_assert(strstr(message.text, text), "wanted: %s\ngot: %s", text, message.text);
}

Test(models_dir, an_added_model_is_there_and_not_in_service)
{
    char version[17], now[17];
    add(1, version);
    cr_assert_eq(load(version), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_models_current(dir, now, &message), SHOAL_NOT_FOUND);
    says("no model is in service");
}

Test(models_dir, the_model_in_service_is_the_one_selected_last)
{
    char first[17], second[17], now[17];
    add(1, first);
    add(2, second);
    cr_assert_str_neq(first, second);
    cr_assert_eq(shoal_models_select(dir, first, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_models_current(dir, now, &message), SHOAL_OK);
    cr_assert_str_eq(now, first);
    cr_assert_eq(shoal_models_select(dir, second, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_models_current(dir, now, &message), SHOAL_OK);
    cr_assert_str_eq(now, second);
    cr_assert_eq(shoal_models_select(dir, first, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_models_current(dir, now, &message), SHOAL_OK);
    cr_assert_str_eq(now, first);
}

Test(models_dir, a_version_that_cannot_serve_is_not_selected)
{
    char good[17], cut[17], now[17], path[256], other[256];
    add(1, good);
    add(2, cut);
    cr_assert_eq(shoal_models_select(dir, good, &message), SHOAL_OK);
    file_of(cut, path);
    cr_assert_eq(truncate(path, 700), 0);
    cr_assert_eq(shoal_models_select(dir, cut, &message), SHOAL_DAMAGED, "%s", message.text);
    says(cut);
    cr_assert_eq(shoal_models_select(dir, "0123456789abcdef", &message), SHOAL_NOT_FOUND);
    cr_assert_eq(shoal_models_select(dir, "../../etc/passwd", &message), SHOAL_NOT_FOUND);
    says("no version of a model");
    file_of(good, path);
    file_of("0123456789abcdef", other);
    cr_assert_eq(rename(path, other), 0);
    cr_assert_eq(shoal_models_select(dir, "0123456789abcdef", &message), SHOAL_DAMAGED);
    says(good);
    cr_assert_eq(shoal_models_current(dir, now, &message), SHOAL_OK);
    cr_assert_str_eq(now, good, "the link moved");
}

Test(models_dir, a_half_written_file_is_written_again)
{
    char version[17], path[256];
    add(1, version);
    file_of(version, path);
    cr_assert_eq(truncate(path, 100), 0);
    cr_assert_eq(load(version), SHOAL_DAMAGED);
    add(1, version);
    cr_assert_eq(load(version), SHOAL_OK, "%s", message.text);
}

Test(models_dir, a_model_that_is_there_keeps_its_age)
{
    char version[17], path[256];
    struct stat before, after;
    add(1, version);
    file_of(version, path);
    cr_assert_eq(utime(path, &(struct utimbuf){1000000, 1000000}), 0);
    cr_assert_eq(stat(path, &before), 0);
    add(1, version);
    cr_assert_eq(stat(path, &after), 0);
    cr_assert_eq(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
}

Test(models_dir, a_dangling_or_foreign_link_is_told_apart_from_none)
{
    char version[17], now[17], link[256], path[256];
    add(1, version);
    cr_assert_eq(shoal_models_select(dir, version, &message), SHOAL_OK);
    file_of(version, path);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(shoal_models_current(dir, now, &message), SHOAL_OK);
    cr_assert_eq(load(now), SHOAL_NOT_FOUND);
    says(version);
    path_in("current", link);
    cr_assert_eq(unlink(link), 0);
    cr_assert_eq(symlink("somewhere", link), 0);
    cr_assert_eq(shoal_models_current(dir, now, &message), SHOAL_DAMAGED);
    says("'somewhere'");
    cr_assert_eq(unlink(link), 0);
    int fd = open(link, O_CREAT | O_WRONLY, 0666);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(shoal_models_current(dir, now, &message), SHOAL_DAMAGED);
    says("not a symbolic link");
}

Test(models_dir, a_publisher_does_not_overrule_a_rollback_that_it_did_not_see)
{
    char first[17], second[17], third[17], now[17];
    add(1, first);
    add(2, second);
    add(3, third);
    cr_assert_eq(shoal_models_replace(dir, second, first, &message), SHOAL_FENCED);
    says("none");
    cr_assert_eq(shoal_models_replace(dir, "", first, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_models_replace(dir, first, second, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_models_select(dir, first, &message), SHOAL_OK); /* rolled back */
    cr_assert_eq(shoal_models_replace(dir, second, third, &message), SHOAL_FENCED);
    says(first);
    cr_assert_eq(shoal_models_current(dir, now, &message), SHOAL_OK);
    cr_assert_str_eq(now, first);
}

Test(models_dir, a_version_is_removed_unless_it_serves)
{
    char first[17], second[17];
    add(1, first);
    add(2, second);
    cr_assert_eq(shoal_models_select(dir, first, &message), SHOAL_OK);
    cr_assert_eq(shoal_models_remove(dir, first, &message), SHOAL_INVALID);
    says("in service");
    cr_assert_eq(load(first), SHOAL_OK);
    cr_assert_eq(shoal_models_remove(dir, second, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(load(second), SHOAL_NOT_FOUND);
    cr_assert_eq(shoal_models_remove(dir, second, &message), SHOAL_OK);
    cr_assert_eq(shoal_models_remove(dir, "../x", &message), SHOAL_NOT_FOUND);
}

static enum shoal_status note(void *opaque, const char *version, int64_t written_ms)
{
    char *text = opaque;
    cr_assert_gt(written_ms, 0);
    strcat(text, version);
    strcat(text, " ");
    return SHOAL_OK;
}

Test(models_dir, versions_are_listed_oldest_first_and_nothing_else)
{
    char first[17], second[17], path[256], listed[256] = "", wanted[64];
    add(1, first);
    add(2, second);
    file_of(second, path);
    cr_assert_eq(utime(path, &(struct utimbuf){1000000, 1000000}), 0);
    static const char *const others[] = {"runs.jsonl", "0123456789abcdef.shoal.tmp.12",
                                         "0123456789ABCDEF.shoal", "notes.shoal"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        path_in(others[i], path);
        int fd = open(path, O_CREAT | O_WRONLY, 0666);
        cr_assert_geq(fd, 0);
        close(fd);
    }
    cr_assert_eq(shoal_models_list(dir, note, listed, &message), SHOAL_OK, "%s", message.text);
    snprintf(wanted, sizeof wanted, "%s %s ", second, first);
    cr_assert_str_eq(listed, wanted);
    cr_assert_eq(shoal_models_list("/tmp/shoal-no-such-folder", note, listed, &message),
                 SHOAL_NOT_FOUND);
}

Test(models_dir, the_lock_has_one_holder_and_ends_with_it)
{
    int mine, other, ready[2];
    char byte, pid[32];
    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        if (shoal_models_lock(dir, &mine, NULL) != SHOAL_OK || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(shoal_models_lock(dir, &other, &message), SHOAL_BUSY);
    cr_assert_eq(other, -1);
    snprintf(pid, sizeof pid, "process %ld on ", (long)child);
    says(pid);
    kill(child, SIGKILL);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_assert_eq(shoal_models_lock(dir, &mine, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_models_lock(dir, &other, &message), SHOAL_BUSY);
    shoal_models_unlock(mine);
    cr_assert_eq(shoal_models_lock(dir, &mine, &message), SHOAL_OK, "%s", message.text);
    shoal_models_unlock(mine);
    shoal_models_unlock(-1);
}

Test(models_dir, what_a_killed_writer_left_behind_goes_with_the_next_lock)
{
    char version[17], old_file[256], old_link[256], young[256];
    int fd;
    add(1, version);
    path_in("0123456789abcdef.shoal.tmp.12", old_file);
    path_in("0123456789abcdef.shoal.tmp.13", young);
    path_in("current.14", old_link);
    for (int i = 0; i < 3; i++) {
        fd = open(i == 0 ? old_file : i == 1 ? old_link : young, O_CREAT | O_WRONLY, 0666);
        cr_assert_geq(fd, 0);
        close(fd);
    }
    cr_assert_eq(utime(old_file, &(struct utimbuf){1000000, 1000000}), 0);
    cr_assert_eq(utime(old_link, &(struct utimbuf){1000000, 1000000}), 0);
    cr_assert_eq(shoal_models_lock(dir, &fd, &message), SHOAL_OK, "%s", message.text);
    shoal_models_unlock(fd);
    cr_assert_neq(access(old_file, F_OK), 0);
    cr_assert_neq(access(old_link, F_OK), 0);
    cr_assert_eq(access(young, F_OK), 0);
    cr_assert_eq(load(version), SHOAL_OK, "%s", message.text);
}

Test(models_dir, a_file_in_place_of_the_folder_is_said)
{
    int fd = open(dir, O_CREAT | O_WRONLY, 0666);
    cr_assert_geq(fd, 0);
    close(fd);
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 1);
    cr_assert_eq(shoal_models_add(dir, model, &message), SHOAL_IO);
    says("Not a directory");
    shoal_model_destroy(model);
    cr_assert_eq(shoal_models_lock(dir, &fd, &message), SHOAL_IO);
    says("Not a directory");
}
