/* SPDX-License-Identifier: Apache-2.0 */
/* The models of a process: what is in service, what is found, what is freed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/models_dir.h"
#include "stream/models.h"
#include "tests/model/tiny_model.h"

static const struct shoal_log quiet = {.level = SHOAL_ERROR, .worker = -1};

struct fixture {
    char folder[64];
    uint64_t ids[3];
    char versions[3][17];
};

/* A folder with three models, the first in service. */
static void setup(struct fixture *f)
{
    strcpy(f->folder, "/tmp/shoal-models-XXXXXX");
    cr_assert_not_null(mkdtemp(f->folder));
    for (unsigned i = 0; i < 3; i++) {
        struct shoal_dims dims = tiny_dims();
        struct shoal_model *model = tiny_model(&dims, i + 1);
        struct shoal_message message = {.text = ""};
        cr_assert_eq(shoal_models_add(f->folder, model, &message), SHOAL_OK, "%s", message.text);
        f->ids[i] = model->id;
        strcpy(f->versions[i], model->version);
        shoal_model_destroy(model);
    }
    cr_assert_eq(shoal_models_select(f->folder, f->versions[0], NULL), SHOAL_OK);
}

static void path_of(const struct fixture *f, const char *name, char path[200])
{
    snprintf(path, 200, "%s/%s", f->folder, name);
}

static void teardown(const struct fixture *f)
{
    char path[200], name[40];
    for (unsigned i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s.shoal", f->versions[i]);
        path_of(f, name, path);
        unlink(path);
    }
    path_of(f, "current", path);
    unlink(path);
    rmdir(f->folder);
}

static struct shoal_models *open_models(const char *path)
{
    struct shoal_models *models;
    struct shoal_message message = {.text = ""};
    cr_assert_eq(shoal_models_open(path, &models, &message), SHOAL_OK, "%s", message.text);
    return models;
}

Test(models, a_published_model_becomes_the_latest_and_the_old_one_goes_when_nobody_holds_it)
{
    struct fixture f;
    setup(&f);
    struct shoal_models *models = open_models(f.folder);
    const struct shoal_model *held = shoal_models_latest(models);
    cr_assert_eq(held->id, f.ids[0]);
    cr_assert_not(shoal_models_refresh(models, &quiet), "nothing is new");
    cr_assert_eq(shoal_models_select(f.folder, f.versions[1], NULL), SHOAL_OK);
    cr_assert(shoal_models_refresh(models, &quiet));
    cr_assert_eq(shoal_models_latest_id(models), f.ids[1]);
    cr_assert_eq(shoal_models_count(models), 2, "the first one is still held");
    cr_assert_eq(held->id, f.ids[0]);
    shoal_models_release(models, held);
    cr_assert_eq(shoal_models_count(models), 1);
    shoal_models_close(models);
    teardown(&f);
}

Test(models, models_do_not_pile_up)
{
    struct fixture f;
    setup(&f);
    struct shoal_models *models = open_models(f.folder);
    for (unsigned i = 1; i < 12; i++) {
        cr_assert_eq(shoal_models_select(f.folder, f.versions[i % 3], NULL), SHOAL_OK);
        cr_assert(shoal_models_refresh(models, &quiet));
        const struct shoal_model *model = shoal_models_latest(models);
        cr_assert_eq(model->id, f.ids[i % 3]);
        shoal_models_release(models, model);
        cr_assert_eq(shoal_models_count(models), 1);
    }
    shoal_models_close(models);
    teardown(&f);
}

Test(models, a_model_of_the_past_is_found_once_and_freed)
{
    struct fixture f;
    setup(&f);
    struct shoal_models *models = open_models(f.folder);
    const struct shoal_model *one, *other;
    cr_assert_eq(shoal_models_find(models, f.ids[2], &one, NULL), SHOAL_OK);
    cr_assert_eq(shoal_models_find(models, f.ids[2], &other, NULL), SHOAL_OK);
    cr_assert_eq(one, other, "one copy of a model");
    shoal_models_release(models, one);
    cr_assert_eq(shoal_models_count(models), 2);
    shoal_models_release(models, other);
    cr_assert_eq(shoal_models_count(models), 1);
    cr_assert_eq(shoal_models_find(models, 12345, &one, NULL), SHOAL_NOT_FOUND);
    cr_assert_null(one);
    shoal_models_close(models);
    teardown(&f);
}

Test(models, a_damaged_model_is_not_taken_until_it_is_whole)
{
    struct fixture f;
    char path[200], name[40], current[200];
    setup(&f);
    struct shoal_models *models = open_models(f.folder);
    snprintf(name, sizeof name, "%s.shoal", f.versions[1]);
    path_of(&f, name, path);
    path_of(&f, "current", current);
    FILE *file = fopen(path, "rb");
    static char bytes[1 << 20];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    cr_assert_eq(truncate(path, (off_t)(size / 2)), 0);
    unlink(current);
    cr_assert_eq(symlink(name, current), 0);
    cr_assert_not(shoal_models_refresh(models, &quiet));
    cr_assert_eq(shoal_models_latest_id(models), f.ids[0]);
    unlink(current);
    cr_assert_not(shoal_models_refresh(models, &quiet), "no model in service");
    cr_assert_eq(shoal_models_latest_id(models), f.ids[0]);
    cr_assert_eq(symlink(name, current), 0);
    file = fopen(path, "wb");
    fwrite(bytes, 1, size, file);
    fclose(file);
    cr_assert(shoal_models_refresh(models, &quiet));
    cr_assert_eq(shoal_models_latest_id(models), f.ids[1]);
    shoal_models_close(models);
    teardown(&f);
}

Test(models, a_file_is_served_for_good_and_finds_others_in_a_folder_only)
{
    struct fixture f;
    char path[200], name[40];
    const struct shoal_model *model;
    struct shoal_message message = {.text = ""};
    setup(&f);
    snprintf(name, sizeof name, "%s.shoal", f.versions[2]);
    path_of(&f, name, path);
    struct shoal_models *models = open_models(path);
    cr_assert_eq(shoal_models_latest_id(models), f.ids[2]);
    cr_assert_not(shoal_models_refresh(models, &quiet));
    cr_assert_eq(shoal_models_find(models, f.ids[0], &model, &message), SHOAL_NOT_FOUND);
    cr_assert_not_null(strstr(message.text, "model.path"), "%s", message.text);
    cr_assert_eq(shoal_models_search(models, f.folder, NULL), SHOAL_OK);
    cr_assert_eq(shoal_models_find(models, f.ids[0], &model, &message), SHOAL_OK);
    shoal_models_release(models, model);
    shoal_models_close(models);
    teardown(&f);
}

Test(models, what_cannot_be_served_is_refused_at_the_start)
{
    struct fixture f;
    char current[200];
    struct shoal_models *models;
    struct shoal_message message = {.text = ""};
    setup(&f);
    path_of(&f, "current", current);
    unlink(current);
    cr_assert_eq(shoal_models_open(f.folder, &models, &message), SHOAL_NOT_FOUND);
    cr_assert_null(models);
    cr_assert_eq(shoal_models_open("/nowhere/model.shoal", &models, &message), SHOAL_NOT_FOUND);
    teardown(&f);
}
