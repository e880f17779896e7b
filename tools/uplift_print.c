/* SPDX-License-Identifier: Apache-2.0 */
/* Texts and JSON of uplift; see uplift_print.h. */
#include "tools/uplift_print.h"

#include <inttypes.h>

#include "stream/put_json.h"

static const char *const cut_names[SHOAL_UPLIFT_CUTS] = {"10", "30", "40"};

/* RFM only where the table has a column for it. */
static bool shown(int way, bool rfm)
{
    return way != SHOAL_WAY_RFM || rfm;
}

/* ---- a model --------------------------------------------------------------------------------- */

void shoal_uplift_print_model(const struct shoal_uplift_model *model, FILE *out)
{
    const struct shoal_uplift_choice_of *choice = &model->choice;
    fprintf(out, "%s '%s' against '%s', outcome %s\n", model->treatment, model->treated, model->control,
            model->outcome);
    fprintf(out, "  treated   %" PRIu64 " rows, %" PRIu64 " with the outcome (%.2f %%)\n", model->rows[1],
            model->outcomes[1], 100 * (double)model->outcomes[1] / (double)model->rows[1]);
    fprintf(out, "  control   %" PRIu64 " rows, %" PRIu64 " with the outcome (%.2f %%)\n", model->rows[0],
            model->outcomes[0], 100 * (double)model->outcomes[0] / (double)model->rows[0]);
    fprintf(out, "  inputs    %zu\n", model->width);
    fprintf(out, "Qini over %d folds, mean ± spread\n", SHOAL_UPLIFT_FOLDS * SHOAL_UPLIFT_DEALS);
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++) {
        const struct shoal_uplift_tried *best = &choice->tried[choice->best[learner]];
        fprintf(out, "%c %-10s %+.4f ± %.4f  ridge %g", learner == (int)choice->picked ? '*' : ' ',
                shoal_uplift_learner_name((enum shoal_uplift_learner)learner), choice->qini[learner],
                choice->spread[learner], best->setting.ridge);
        if (learner == SHOAL_LEARNER_two_stage)
            fprintf(out, ", tau %g", best->setting.tau);
        fputc('\n', out);
    }
}

static void put_tried(struct shoal_put *put, const char *key, const struct shoal_uplift_tried *tried)
{
    shoal_put_open(put, key, '{');
    shoal_put_text(put, "learner", shoal_uplift_learner_name(tried->setting.learner));
    shoal_put_real(put, "ridge", tried->setting.ridge);
    if (tried->setting.learner == SHOAL_LEARNER_two_stage)
        shoal_put_real(put, "tau", tried->setting.tau);
    shoal_put_real(put, "log_loss", tried->loss);
    shoal_put_real(put, "qini", tried->qini);
    shoal_put_close(put, '}');
}

static void put_arm(struct shoal_put *put, const char *key, const struct shoal_uplift_model *model, int arm)
{
    shoal_put_open(put, key, '{');
    shoal_put_text(put, "value", arm ? model->treated : model->control);
    shoal_put_count(put, "n", model->rows[arm]);
    shoal_put_count(put, "outcomes", model->outcomes[arm]);
    shoal_put_close(put, '}');
}

void shoal_uplift_put_model(const struct shoal_uplift_model *model, FILE *out)
{
    const struct shoal_uplift_choice_of *choice = &model->choice;
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "treatment", model->treatment);
    shoal_put_text(&put, "outcome", model->outcome);
    put_arm(&put, "treated", model, 1);
    put_arm(&put, "control", model, 0);
    shoal_put_open(&put, "inputs", '[');
    for (size_t k = 0; k < model->width; k++) {
        char name[2 * SHOAL_COLUMN_NAME + 2];
        const struct shoal_input_column *input = &model->inputs[k];
        static const char *const forms[] = {"%s%s", "log(1+%s)%s", "%s missing%s", "%s=%s"};
        snprintf(name, sizeof name, forms[input->kind], input->column, input->level);
        shoal_put_text(&put, NULL, name);
    }
    shoal_put_close(&put, ']');
    shoal_put_text(&put, "picked", shoal_uplift_learner_name(choice->picked));
    shoal_put_open(&put, "learners", '{');
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++) {
        shoal_put_open(&put, shoal_uplift_learner_name((enum shoal_uplift_learner)learner), '{');
        shoal_put_real(&put, "qini", choice->qini[learner]);
        shoal_put_real(&put, "spread", choice->spread[learner]);
        put_tried(&put, "setting", &choice->tried[choice->best[learner]]);
        shoal_put_close(&put, '}');
    }
    shoal_put_close(&put, '}');
    shoal_put_open(&put, "tried", '[');
    for (size_t s = 0; s < choice->count; s++)
        put_tried(&put, NULL, &choice->tried[s]);
    shoal_put_close(&put, ']');
    shoal_put_close(&put, '}');
    fputc('\n', out);
}

/* ---- a judgement ----------------------------------------------------------------------------- */

static void print_curve(const struct shoal_uplift_figures *figures, FILE *out)
{
    enum { COLUMNS = 50 };
    fputs("share of the incremental outcome by share contacted, as picked (| is chance)\n", out);
    for (int k = 0; k < SHOAL_UPLIFT_CURVE; k += 2) {
        double gain = figures->gain[k];
        int length = (int)(COLUMNS * (gain > 1.3 ? 1.3 : gain > 0 ? gain : 0) + 0.5);
        int chance = COLUMNS * k / (SHOAL_UPLIFT_CURVE - 1);
        fprintf(out, "%4d %%  %6.1f %%  ", 5 * k, 100 * gain);
        for (int c = 0; c < length || c <= chance; c++)
            fputc(c == chance ? '|' : c < length ? '#' : ' ', out);
        fputc('\n', out);
    }
}

void shoal_uplift_print_judgement(const struct shoal_uplift_model *model,
                                  const struct shoal_uplift_judgement *judgement, FILE *out)
{
    const struct shoal_uplift_figures *picked = &judgement->figures[SHOAL_WAY_PICKED];
    fprintf(out, "%zu rows, outcome %s %+.4f if contacted; picked: %s\n", picked->count, model->outcome,
            picked->effect, shoal_uplift_learner_name(shoal_uplift_model_picked(model)));
    fprintf(out, "%-10s %8s %8s | %-23s | %-23s\n", "", "Qini", "AUUC", "uplift at 10, 30, 40 %",
            "gain at 10, 30, 40 %");
    for (int way = 0; way < SHOAL_WAYS; way++) {
        const struct shoal_uplift_figures *f = &judgement->figures[way];
        if (shown(way, judgement->rfm))
            fprintf(out, "%-10s %+8.4f %+8.4f | %+7.4f %+7.4f %+7.4f | %7.4f %7.4f %7.4f\n",
                    shoal_uplift_way_name(way), f->qini, f->auuc, f->uplift_at[0], f->uplift_at[1],
                    f->uplift_at[2], f->gain_at[0], f->gain_at[1], f->gain_at[2]);
    }
    fprintf(out,
            "prompted (outcome in the treated arm) or organic (in the other), if the first %zu are contacted%s\n",
            judgement->classes[0].contacted,
            judgement->rfm ? ",\nas many as the three highest RFM segments have" : "");
    fprintf(out, "%-10s %9s %9s %17s %11s\n", "", "precision", "recall", "balanced accuracy", "weighted F1");
    for (int way = 0; way < SHOAL_WAYS; way++) {
        const struct shoal_uplift_classes *c = &judgement->classes[way];
        if (shown(way, judgement->rfm))
            fprintf(out, "%-10s %9.4f %9.4f %17.4f %11.4f\n", shoal_uplift_way_name(way), c->precision, c->recall,
                    c->balanced_accuracy, c->weighted_f1);
    }
    print_curve(picked, out);
}

static void put_cuts(struct shoal_put *put, const char *key, const double values[SHOAL_UPLIFT_CUTS])
{
    shoal_put_open(put, key, '{');
    for (int k = 0; k < SHOAL_UPLIFT_CUTS; k++)
        shoal_put_real(put, cut_names[k], values[k]);
    shoal_put_close(put, '}');
}

static void put_way(struct shoal_put *put, const struct shoal_uplift_judgement *judgement, int way)
{
    const struct shoal_uplift_figures *figures = &judgement->figures[way];
    const struct shoal_uplift_classes *classes = &judgement->classes[way];
    shoal_put_real(put, "qini", figures->qini);
    shoal_put_real(put, "auuc", figures->auuc);
    put_cuts(put, "uplift_at", figures->uplift_at);
    put_cuts(put, "gain_at", figures->gain_at);
    shoal_put_open(put, "gain_curve", '[');
    for (int k = 0; k < SHOAL_UPLIFT_CURVE; k++)
        shoal_put_real(put, NULL, figures->gain[k]);
    shoal_put_close(put, ']');
    shoal_put_count(put, "contacted", classes->contacted);
    shoal_put_real(put, "precision", classes->precision);
    shoal_put_real(put, "recall", classes->recall);
    shoal_put_real(put, "balanced_accuracy", classes->balanced_accuracy);
    shoal_put_real(put, "weighted_f1", classes->weighted_f1);
}

void shoal_uplift_put_judgement(const struct shoal_uplift_model *model,
                                const struct shoal_uplift_judgement *judgement, FILE *out)
{
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    shoal_put_count(&put, "n", judgement->figures[0].count);
    shoal_put_real(&put, "effect", judgement->figures[0].effect);
    shoal_put_text(&put, "learner", shoal_uplift_learner_name(shoal_uplift_model_picked(model)));
    put_way(&put, judgement, SHOAL_WAY_PICKED);
    shoal_put_open(&put, "others", '{');
    for (int way = SHOAL_WAY_PICKED + 1; way < SHOAL_WAYS; way++) {
        if (!shown(way, judgement->rfm))
            continue;
        shoal_put_open(&put, shoal_uplift_way_name(way), '{');
        put_way(&put, judgement, way);
        shoal_put_close(&put, '}');
    }
    shoal_put_close(&put, '}');
    shoal_put_close(&put, '}');
    fputc('\n', out);
}

/* ---- halves ---------------------------------------------------------------------------------- */

void shoal_uplift_print_halves(const struct shoal_halves *halves, FILE *out)
{
    fprintf(out, "%zu random halves of %zu rows: learnt on one, judged on the other; mean ± spread\npicked:",
            halves->count, halves->rows);
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++)
        if (halves->picked[learner])
            fprintf(out, " %s %zu times", shoal_uplift_learner_name((enum shoal_uplift_learner)learner),
                    halves->picked[learner]);
    fputc('\n', out);
    for (int first = 0; first < SHOAL_HALVES_FIGURES; first += 4) {
        fprintf(out, "%-10s", "");
        for (int f = first; f < first + 4 && f < SHOAL_HALVES_FIGURES; f++)
            fprintf(out, "  %17s", shoal_halves_name(f));
        fputc('\n', out);
        for (int way = 0; way < SHOAL_WAYS; way++) {
            if (!shown(way, halves->rfm))
                continue;
            fprintf(out, "%-10s", shoal_uplift_way_name(way));
            for (int f = first; f < first + 4 && f < SHOAL_HALVES_FIGURES; f++)
                fprintf(out, "  %+8.4f ± %.4f", halves->figures[way][f].mean, halves->figures[way][f].spread);
            fputc('\n', out);
        }
    }
}

void shoal_uplift_put_halves(const struct shoal_halves *halves, uint64_t seed, FILE *out)
{
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    shoal_put_count(&put, "halves", halves->count);
    shoal_put_count(&put, "n", halves->rows);
    shoal_put_count(&put, "seed", seed);
    shoal_put_open(&put, "picked", '{');
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++)
        shoal_put_count(&put, shoal_uplift_learner_name((enum shoal_uplift_learner)learner),
                        halves->picked[learner]);
    shoal_put_close(&put, '}');
    shoal_put_open(&put, "ways", '{');
    for (int way = 0; way < SHOAL_WAYS; way++) {
        if (!shown(way, halves->rfm))
            continue;
        shoal_put_open(&put, shoal_uplift_way_name(way), '{');
        for (int f = 0; f < SHOAL_HALVES_FIGURES; f++) {
            shoal_put_open(&put, shoal_halves_name(f), '{');
            shoal_put_real(&put, "mean", halves->figures[way][f].mean);
            shoal_put_real(&put, "spread", halves->figures[way][f].spread);
            shoal_put_close(&put, '}');
        }
        shoal_put_close(&put, '}');
    }
    shoal_put_close(&put, '}');
    shoal_put_close(&put, '}');
    fputc('\n', out);
}
