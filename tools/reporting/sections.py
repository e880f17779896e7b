# SPDX-License-Identifier: Apache-2.0
"""What each section of the report says: (name, heading, HTML) from what was measured."""

import math

from reporting import curves, figures, page, tables
from reporting.page import Number, facts, figure, made_by, paragraph, row, table, tile

MEASURES = (("roc_auc", "ROC-AUC"), ("pr_auc", "PR-AUC"), ("log_loss", "log loss"), ("ece", "ECE"))
BY_USERS = "95 % intervals by bootstrap over users"


def measured(figures_of, name, digits=4):
    return Number(tables.with_interval(figures_of[name], figures_of[name + "_ci"], digits))


def signed(figures_of, name):
    value, interval = figures_of[name], figures_of[name + "_ci"]
    if value is None:
        return Number("–")
    if not interval:
        return Number(f"{value:+.4f}")
    return Number(f"{value:+.4f} [{interval[0]:+.4f}, {interval[1]:+.4f}]")


def predictors(evaluation):
    """(name, figures) of the model and of what there is beside it."""
    rows = [("model", evaluation)]
    for name, text in (("regression", "regression on counters"), ("prior", "base rate before")):
        if (evaluation.get("baseline") or {}).get(name):
            rows.append((text, evaluation["baseline"][name]))
    if evaluation.get("corrected"):
        rows.insert(1, ("model, corrected online", evaluation["corrected"]))
    return rows


def tasks(evaluation):
    """Tables of the other heads: probabilities, and counts."""
    known = {n: t for n, t in (evaluation.get("tasks") or {}).items() if t}
    chances = {n: t for n, t in known.items() if "roc_auc" in t}
    counts = {n: t for n, t in known.items() if "mae" in t}
    body = ""
    if chances:
        rows = [[name, Number(f"{t['n']:,}"), Number(f"{t['base_rate']:.4f}")]
                + [measured(t, m) for m, _ in MEASURES] for name, t in chances.items()]
        body += "<h3>Tasks</h3>\n" + table(["", "events", "base rate"] + [t for _, t in MEASURES], rows)
    if counts:
        names = ("mean", "mae", "mae_of_mean", "rmse", "rmse_of_mean", "r2", "mape")
        rows = [[name, Number(f"{t['n']:,}")] + [Number(tables.number(t[k])) for k in names]
                for name, t in counts.items()]
        body += table(["", "events", "mean", "MAE", "… of the mean", "RMSE", "… of the mean", "R²",
                       "MAPE"], rows)
    return body


def summary(evaluation, command):
    tiles = []
    for name, title in MEASURES:
        value, interval = evaluation[name], evaluation[name + "_ci"]
        note = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "not defined"
        tiles.append(tile(title, "–" if value is None else f"{value:.3f}", note))
    tiles.append(tile("base rate", f"{evaluation['base_rate']:.3f}",
                      f"{evaluation['n']:,} events, {evaluation['users']:,} users"))
    body = '<div class="tiles">\n' + "".join(tiles) + "</div>\n"
    for title, pick in (("Events", lambda p: p),
                        ("Users, each by the last scored event", lambda p: p["user_level"])):
        rows = [[name] + [measured(pick(p), m) for m, _ in MEASURES]
                for name, p in predictors(evaluation)]
        body += f"<h3>{title}</h3>\n" + table([""] + [t for _, t in MEASURES], rows)
    difference = (evaluation.get("baseline") or {}).get("difference")
    if difference:
        body += "<h3>Model − regression, on the same resampled users</h3>\n" + table(
            [t for _, t in MEASURES], [[signed(difference, m) for m, _ in MEASURES]])
    body += tasks(evaluation)
    body += paragraph(f"{BY_USERS}. An event is positive if its user buys within the 24 hours after "
                      "it. The regression is a logistic regression on the same decayed counters, "
                      "fitted on the events before the scored ones."
                      + (" Corrected online: the logit moved by the outcomes that have come in by "
                         "each event." if evaluation.get("corrected") else ""), "quiet")
    return "summary", "Result", body + made_by(command)


def learning(log, command):
    if not log:
        body = paragraph("No log of the training was given: shoal train --log FILE writes one, "
                         "tools/report --train-log FILE shows it.", "quiet")
        return "learning", "Learning curves", body
    best = log["best_epoch"]
    before = [e for e in log["epochs"] if e["pretraining"]]
    epochs = [e for e in log["epochs"] if not e["pretraining"]]
    start = next((e for e in epochs if e["epoch"] == 0), {})
    drawings = []
    if len(epochs) > 1:
        drawings = [
            figure(figures.learning(epochs, "train_loss", "training loss", best),
                   "Mean loss an epoch, over events as they are weighed and with dropout."),
            figure(figures.learning([e for e in epochs if not e["refit"]], "valid_loss",
                                    "validation log loss", best, start.get("valid_loss")),
                   "On the validation part, as it would be served, before calibration."),
            figure(figures.learning([e for e in epochs if not e["refit"]], "valid_auc",
                                    "validation ROC-AUC", best, start.get("valid_auc")),
                   "On the validation part."),
        ]
    for of, title, text in ((before, "objectives of the pre-training", "Pre-training"),
                            ([e for e in epochs if not e["refit"]], "objectives of the training",
                             "What the states learn beside the purchase")):
        if any(e["objectives"] for e in of):
            drawings.append(figure(figures.objectives(of, title),
                                   f"{text}: each loss beside that of its first epoch."))
    kept = (f"Kept: epoch {best} of {log['epochs_run']}, the network weighing "
            f"{log['network_share']:.2f} beside the regression." if best else
            "Kept: the regression that the training starts from; the network's lead over it could be "
            "chance, or no epoch was asked for.")
    rows = [[name] + [measured(log[key], m) for m, _ in MEASURES]
            for name, key in (("model, calibrated", "valid"), ("regression", "valid_regression"))]
    body = paragraph(kept) + row(*drawings)
    body += (f"<h3>Validation part: {log['valid']['n']:,} events of {log['valid']['users']:,} users"
             "</h3>\n" + table([""] + [t for _, t in MEASURES], rows))
    body += paragraph("These events chose the epoch and made the calibration: the figures flatter. "
                      "The result above is of later events.", "quiet")
    return "learning", "Learning curves", body + made_by(command)


def ranking(evaluation, scores, seed, resamples, command):
    roc, pr = curves.draw(scores, seed, resamples)
    if not roc:
        body = paragraph("All scored events are of one kind, so there is nothing to tell apart.")
        return "ranking", "ROC and precision", body
    area = "area {} (95 % by users)"
    body = row(
        figure(figures.curve(roc, "false positive rate", "true positive rate", "diagonal",
                             "ROC curve"),
               area.format(measured(evaluation, "roc_auc", 3))),
        figure(figures.curve(pr, "recall", "precision", evaluation["base_rate"],
                             "precision and recall"),
               "average precision {} (95 % by users)".format(measured(evaluation, "pr_auc", 3))))
    body += paragraph(f"Bands: pointwise 95 % of {resamples} resamples of the users.", "quiet")
    return "ranking", "ROC and precision", body + made_by(command)


def calibration(evaluation, log, scores, command):
    drawings = [figure(figures.reliability([("all events", evaluation["reliability"]["bins"])],
                                           "reliability"),
                       "All events, 15 bins of equal mass; ECE "
                       + measured(evaluation, "ece", 3) + ".")]
    segments = evaluation["segments"]
    for dimension in dict.fromkeys(s["dimension"] for s in segments):
        groups = [(s["level"], s["reliability"]["bins"]) for s in segments
                  if s["dimension"] == dimension and s["users"] >= 30]
        if groups:
            drawings.append(figure(figures.reliability(groups, f"reliability by {dimension}"),
                                   f"By {dimension} at the event (levels of at least 30 users)."))
    model = evaluation["model"]["calibration"]
    if model["knots"]:
        inner = model["knots"][1:-1] or model["knots"]  # the ends lie far out
        low, high = inner[0][0] - 0.2, inner[-1][0] + 0.2
        kind = f"isotonic, {len(model['knots'])} knots"
    else:
        reach = [(math.log(p / (1 - p)) - model["intercept"]) / (model["slope"] or 1)
                 for p in (max(float(scores.scores.min()), 1e-6),
                           min(float(scores.scores.max()), 1 - 1e-6))]
        low, high = min(reach) - 0.1, max(reach) + 0.1
        kind = "a line in logits"
    choice = (log or {}).get("calibration") or {}
    if choice.get("isotonic_less_line") is not None:
        kind += (f"; log loss of isotonic − line on users that neither has seen "
                 f"{choice['isotonic_less_line']:+.6f}, standard error {choice['standard_error']:.6f}")
    drawings.append(figure(
        figures.calibration(model["knots"], model["slope"], model["intercept"], low, high),
        f"From the network's probability to the score: {kind}."))
    rows = []
    for s in segments:
        few = [Number("–")] * 5
        rows.append([f"{s['dimension']} {s['level']}", Number(f"{s['n']:,}"),
                     Number(f"{s['users']:,}")] +
                    ([Number(f"{s['base_rate']:.4f}"),
                      Number(f"{s['reliability']['mean_score']:.4f}"), measured(s, "ece"),
                      measured(s, "log_loss"), measured(s, "roc_auc")] if s["n"] else few))
    body = row(*drawings) + table(["segment", "events", "users", "base rate", "mean score", "ECE",
                                   "log loss", "ROC-AUC"], rows)
    body += paragraph(f"{BY_USERS}. An ECE over few users is high by chance alone.", "quiet")
    return "calibration", "Calibration", body + made_by(command)


def score_distribution(evaluation, scores, command):
    model = evaluation["model"]
    body = row(figure(figures.distribution(scores, model["warm"], model["hot"]),
                      f"Dotted: intent is warm from {model['warm']:.4f}, hot from "
                      f"{model['hot']:.4f}."))
    return "scores", "Scores", body + made_by(command)


def importance(evaluation, command):
    rows = evaluation.get("importance")
    if not rows:
        return ("importance", "Importance of the inputs",
                paragraph("Left out (--no-importance).", "quiet"))
    drawings = []
    for measure, sign, label in (("roc_auc", -1, "ROC-AUC lost"), ("log_loss", 1, "log loss added")):
        bars = []
        for entry in rows:
            value, interval = entry["difference"][measure], entry["difference"][measure + "_ci"]
            if value is not None and interval:
                bars.append((entry["input"], sign * value, *sorted(sign * v for v in interval)))
        if bars:
            bars.sort(key=lambda bar: -bar[1])
            drawings.append(figure(figures.importance(bars, label, label), f"{label}, {BY_USERS}; "
                                   "grey: could be chance."))
    cells = [[entry["input"], entry["text"], signed(entry["difference"], "roc_auc"),
              signed(entry["difference"], "log_loss")] for entry in rows]
    body = paragraph("What the model loses when the values of an input are dealt out anew among the "
                     "events: they stay as they are distributed, what they say of their event is "
                     "gone. Inputs that say the same stand in for each other, so a small loss does "
                     "not mean that an input is idle.")
    body += row(*drawings) + table(["input", "", "ROC-AUC", "log loss"], cells)
    return "importance", "Importance of the inputs", body + made_by(command)


def comparison(given):
    """given: (path, JSON) of each ablation or comparison."""
    body = ""
    for path, value in given:
        body += f"<h3>{page.text(path)}</h3>\n"
        found = list(tables.find(value))
        for title, headers, cells in found:
            if title:
                body += paragraph(title)
            body += table(headers, cells)
        if not found:
            body += paragraph("There is no table in it.")
    return "ablation", "Ablation and comparisons", body


def describe_data(data, left_out=None):
    names = {"bad_csv": "not a row of the expected columns", "bad_json": "not well-formed JSON",
             "bad_timestamp": "time cannot be read", "bad_user": "user id too long or not UTF-8",
             "missing_field": "a required field is missing", "bad_behavior": "unknown behaviour",
             "bad_field": "a field has the wrong type or range", "bad_format": "neither JSON nor "
             "MessagePack", "bad_msgpack": "not well-formed MessagePack", "too_large": "too large",
             "key_mismatch": "key differs from user_id", "future_event": "dated ahead"}
    body = facts([
        ("events", f"{data['events']:,}"), ("users", f"{data['users']:,}"),
        ("from", data["from"]), ("until", data["until"]), ("fingerprint", data["fingerprint"]),
        ("with a price", f"{data['priced']:,}"), ("with a category", f"{data['categorised']:,}")])
    dropped = [[f"not read: {names.get(code, code)}", Number(f"{count:,}"), "left out"]
               for code, count in data["refused_for"].items()]
    dropped.append(["repeats of an event_id", Number(f"{data['repeated']:,}"), "left out"])
    dropped.append(["older than the user's last event", Number(f"{data['late']:,}"),
                    "kept, dated like that one"])
    for key, words in (("unbought", "of items that nobody buys"),
                       ("few", "of users with too few records")):
        if (left_out or {}).get(key):
            dropped.append([words, Number(f"{left_out[key]:,}"), "left out on request"])
    body += "<h3>Records left out or changed</h3>\n" + table(["", "records", ""], dropped)
    if data["refused_first"]:
        body += paragraph(f"The first that could not be read: {data['refused_first']}", "quiet")
    behaviours, users = data["behaviors"], data["users_by_events"]
    return body + row(
        figure(figures.shares(list(behaviours), list(behaviours.values()), "% of the events",
                              "behaviours"), "Behaviour mix."),
        figure(figures.shares([f"{n} event{'s' * (n != '1')}" for n in users], list(users.values()),
                              "% of the users", "users by events"), "Users by their events."))


def data(evaluation, log, commands):
    body = ""
    if log:
        body += "<h3>Trained on</h3>\n" + describe_data(log["data"], log["left_out"]) + paragraph(
            f"Labelled: {log['train_count']:,} events to train ({100 * log['train_base_rate']:.1f} % "
            f"before a purchase), {log['valid_count']:,} to validate "
            f"({100 * (log['valid']['base_rate'] or 0):.1f} %).")
        body += "<h3>Read for the evaluation</h3>\n"
    return "data", "Data", body + describe_data(evaluation["data"]) + made_by(*commands)


def model(evaluation, log, commands):
    about = evaluation["model"]
    dims, origin = about["dims"], about["origin"]
    body = facts([
        ("version", about["version"]), ("parameters", f"{about['parameters']:,}"),
        ("hidden units", dims["hidden"]), ("inputs of a step", dims["inputs"]),
        ("item table", f"{dims['item_buckets']:,} × {dims['item_width']}"),
        ("category table", f"{dims['category_buckets']:,} × {dims['category_width']}"),
        ("behaviour table", f"4 × {dims['behavior_width']}"), ("counters", dims["counters"]),
        ("ring of recent events", dims["ring"]),
        ("trained on", f"{origin['events']:,} events of {origin['users']:,} users"),
        ("from", origin["train_from"]), ("until", origin["train_until"]),
        ("data fingerprint", origin["data_fingerprint"]), ("seed", origin["seed"]),
        ("intent", f"warm from {about['warm']:.4f}, hot from {about['hot']:.4f}")])
    if log:
        body += "<h3>Options of the training</h3>\n" + facts(
            [(f"--{name}", "yes" if v is True else "no" if v is False else
              "–" if v is None else v) for name, v in log["options"].items()])
        body += paragraph(f"Batch {log['batch']}, ridge of the regression {log['ridge']:g}, "
                          f"{log['seconds']:.1f} s.", "quiet")
    return "model", "Model", body + made_by(*commands)
