/* SPDX-License-Identifier: Apache-2.0 */
/* What users have agreed to. A consent is given or withdrawn by an event that says so; who never said
 * anything has not given it. The order of the log decides: the last word counts, also that of an event
 * dated earlier. */
#ifndef SHOAL_CONSENT_H
#define SHOAL_CONSENT_H

#include "state/record.h"
#include "stream/event.h"

/* "marketing", "personalization"; NULL for what is not one bit of enum shoal_consent. Static. */
const char *shoal_consent_name(unsigned consent);
/* The bit of a name; 0: unknown. */
unsigned shoal_consent_of(const char *name);

/* 1: given; 0: withdrawn; −1: the user never said. */
int shoal_consent_state(const struct shoal_record *record, unsigned consent);
/* Takes over what the event says; to be called once for each event that is applied. */
void shoal_consent_apply(struct shoal_record *record, const struct shoal_event *event);

#endif
