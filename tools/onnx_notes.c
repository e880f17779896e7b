/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata of an exported model; see onnx_notes.h. Lists and objects are JSON. */
#include "tools/onnx_notes.h"

#include <stdlib.h>

#include "model/features.h"
#include "model/model_format.h"
#include "stream/put_json.h"

enum { ROWS = FEATURE_NAMES - SHOAL_NUMERIC }; /* features that are rows of tables, not numbers */

/* One key's JSON while it is written. */
struct note {
    FILE *out;
    char *text;
    size_t size;
    struct shoal_put put;
};

static enum shoal_status begin(struct note *note, char bracket)
{
    *note = (struct note){0};
    note->out = open_memstream(&note->text, &note->size);
    if (!note->out)
        return SHOAL_NOMEM;
    note->put = (struct shoal_put){.out = note->out};
    shoal_put_open(&note->put, NULL, bracket);
    return SHOAL_OK;
}

static enum shoal_status end(struct note *note, char bracket, const char *key,
                             struct shoal_onnx_graph *graph)
{
    shoal_put_close(&note->put, bracket);
    bool failed = ferror(note->out);
    failed |= fclose(note->out) != 0;
    if (!failed)
        shoal_onnx_graph_note(graph, key, note->text);
    free(note->text);
    return failed ? SHOAL_NOMEM : SHOAL_OK;
}

static enum shoal_status note_model(const struct shoal_model *model, struct shoal_onnx_graph *graph)
{
    struct note note;
    const struct shoal_model_origin *origin = &model->origin;
    enum shoal_status status = begin(&note, '{');
    if (status != SHOAL_OK)
        return status;
    shoal_put_text(&note.put, "version", model->version);
    shoal_put_time(&note.put, "trained_from", origin->train_from_ms);
    shoal_put_time(&note.put, "trained_until", origin->train_until_ms);
    shoal_put_count(&note.put, "events", origin->events_count);
    shoal_put_count(&note.put, "users", origin->users_count);
    shoal_put_count(&note.put, "hidden", model->params.dims.hidden);
    shoal_put_real(&note.put, "warm", (double)model->warm);
    shoal_put_real(&note.put, "hot", (double)model->hot);
    return end(&note, '}', "shoal.model", graph);
}

static enum shoal_status note_tasks(struct shoal_onnx_graph *graph)
{
    struct note note;
    enum shoal_status status = begin(&note, '[');
    if (status != SHOAL_OK)
        return status;
    for (size_t n = 0; n < SHOAL_TASKS; n++) {
        const struct shoal_task_info *info = shoal_task_info((enum shoal_task)n);
        shoal_put_open(&note.put, NULL, '{');
        shoal_put_text(&note.put, "name", info->name);
        shoal_put_text(&note.put, "kind",
                       info->kind == SHOAL_TASK_COUNT ? "count: exp(calibrated)"
                                                      : "probability: sigmoid(calibrated)");
        shoal_put_text(&note.put, "text", info->text);
        shoal_put_close(&note.put, '}');
    }
    return end(&note, ']', "shoal.tasks", graph);
}

/* The columns of `numeric`; features.h computes them. */
static enum shoal_status note_numeric(const struct shoal_dims *dims, struct shoal_onnx_graph *graph)
{
    static const char *const texts[SHOAL_NUMERIC] = {
        "log2(1 + seconds since the user's event before)/20, by a table with steps of 1/64 of an octave "
        "and straight lines between; 0 for the first event",
        "sin(2 pi hour/24), hour 0 to 23 in UTC",
        "cos(2 pi hour/24)",
        "sin(2 pi weekday/7), Sunday 0, in UTC",
        "cos(2 pi weekday/7)",
        "level/64; level 0 without a price, else 1 + round(2 log2(price/0.01)) held within 1 to 63",
        "1 if the item is among the user's last N events before this one, else 0; N in column recent",
        "1 if the category is (and there is one), else 0",
    };
    struct note note;
    enum shoal_status status = begin(&note, '[');
    if (status != SHOAL_OK)
        return status;
    uint32_t recent = dims->ring < SHOAL_REPEAT_WINDOW ? dims->ring : SHOAL_REPEAT_WINDOW;
    for (size_t i = 0; i < SHOAL_NUMERIC; i++) {
        shoal_put_open(&note.put, NULL, '{');
        shoal_put_text(&note.put, "name", shoal_model_features[ROWS + i]);
        shoal_put_text(&note.put, "text", texts[i]);
        if (i >= 6)
            shoal_put_count(&note.put, "recent", recent);
        shoal_put_close(&note.put, '}');
    }
    return end(&note, ']', "shoal.numeric", graph);
}

static enum shoal_status note_rates(struct shoal_onnx_graph *graph)
{
    struct note note;
    enum shoal_status status = begin(&note, '{');
    if (status != SHOAL_OK)
        return status;
    shoal_put_open(&note.put, "names", '[');
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        shoal_put_text(&note.put, NULL, shoal_model_counters[k]);
    shoal_put_close(&note.put, ']');
    shoal_put_text(&note.put, "text",
                   "rate = counter/(1 - 2^-((age + 1 day)/half_life)); counter = sum over the user's events of "
                   "that behaviour, this one included, of 2^-(time since/half_life), 0 below 2^-20; age: since "
                   "the user's first event; half-lives 1 hour, 1 day, 7 days. The graph takes log(1 + rate) and "
                   "standardises it");
    return end(&note, '}', "shoal.rates", graph);
}

enum shoal_status shoal_onnx_notes(const struct shoal_model *model, enum shoal_precision precision,
                                   struct shoal_onnx_graph *graph)
{
    enum shoal_status status = note_model(model, graph);
    if (status == SHOAL_OK)
        status = note_tasks(graph);
    if (status == SHOAL_OK)
        status = note_numeric(&model->params.dims, graph);
    if (status == SHOAL_OK)
        status = note_rates(graph);
    shoal_onnx_graph_note(graph, "shoal.hash",
                          "XXH3 (64 bits, seed 0) of the id's text in UTF-8 (an integer as its decimal digits): "
                          "item takes the low 32 bits, category the low 16 (1 where they are 0). The graph reduces "
                          "them to rows of its tables");
    shoal_onnx_graph_note(graph, "shoal.precision",
                          precision == SHOAL_FP16
                              ? "fp16: h_next and c_next are rounded to half precision (to nearest, ties to even) "
                                "before the heads see them, as Shoal keeps them; all else is float32"
                              : "fp32: nothing is rounded; Shoal itself rounds h and c to half precision after "
                                "every event unless state.precision is fp32");
    shoal_onnx_graph_note(graph, "shoal.left_out",
                          "the correction of the logit that a processor learns while it serves; clusters, value and "
                          "engagement; segments and decisions");
    return status;
}
