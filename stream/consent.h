/* SPDX-License-Identifier: Apache-2.0 */
/* What users have agreed to. A consent is given or withdrawn by an event that says so; who never said
 * anything has not given it. The order of the log decides: the last word counts, also that of an event
 * dated earlier.
 *
 * Processing is the one consent that counts as given until it is withdrawn: with it goes everything that is
 * kept of the user but this word (pipeline_forget.c). */
#ifndef SHOAL_CONSENT_H
#define SHOAL_CONSENT_H

#include "state/record.h"
#include "stream/event.h"

/* "marketing", "personalization", "processing"; NULL for what is not one bit of enum shoal_consent. Static. */
const char *shoal_consent_name(unsigned consent);
/* The bit of a name; 0: unknown. */
unsigned shoal_consent_of(const char *name);

/* 1: given; 0: withdrawn; −1: the user never said. */
int shoal_consent_state(const struct shoal_record *record, unsigned consent);
/* Has the user declined to be processed? */
static inline bool shoal_consent_declined(const struct shoal_record *record)
{
    enum {
        KNOWN = SHOAL_CONSENT_PROCESSING << SHOAL_CONSENT_KNOWN_SHIFT,
        GIVEN = SHOAL_CONSENT_PROCESSING,
    };
    return (record->consent & (KNOWN | GIVEN)) == KNOWN;
}
/* Takes over what the event says; to be called once for each event that is applied. */
void shoal_consent_apply(struct shoal_record *record, const struct shoal_event *event);

#endif
