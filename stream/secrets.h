/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of a configuration: read from the files that it names, and never shown.
 *
 *   kafka.sasl.password_file: /run/secrets/kafka      the file's first line becomes kafka.sasl.password
 *   privacy.pseudonym_key: /etc/shoal/pseudonym.key   the key itself is loaded
 *
 * Any property of librdkafka can be given as kafka.NAME_file. A relative path in a configuration file is
 * relative to that file's folder. */
#ifndef SHOAL_SECRETS_H
#define SHOAL_SECRETS_H

#include "stream/config.h"

/* To be called once all files and assignments are read. CONFIG for a file that cannot be read or is empty, or a
 * property given both ways: names key and file, never the value; NOMEM. */
enum shoal_status shoal_config_secrets(struct shoal_config *config,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
/* Is the value of this property of librdkafka a secret? By its name. */
bool shoal_secret_is(const char *property);
/* A value as it may be shown: "***" for a secret's, a URL without its password, else as it is. `room` is for a
 * value that has to be changed. `key` is an option's, or "kafka." and a property's. */
const char *shoal_secret_mask(const char *key, const char *value, char *room, size_t size);

#endif
