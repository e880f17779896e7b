/* SPDX-License-Identifier: Apache-2.0 */
/* Every figure that /metrics has, in its order: the one list that the exposition, deploy/metrics.md and the
 * tests of dashboards and alerts are made from.
 *
 * Names follow Prometheus: base units (seconds, bytes) at the end, counters with _total. A counter begins at 0
 * with the process. Labels are few and bounded: partitions, promotions, status codes; never a user. */
#ifndef SHOAL_METRICS_LIST_H
#define SHOAL_METRICS_LIST_H

/*  X(id, TYPE, "name", "unit", "labels, separated by blanks", "help: one sentence without a full stop") */
#define SHOAL_METRICS_LIST(X)                                                                      \
    X(build_info, GAUGE, "shoal_build_info", "", "version",                                        \
      "Always 1; the label is the version of the program")                                         \
    X(workers, GAUGE, "shoal_workers", "", "",                                                     \
      "Worker threads that run")                                                                   \
    /* flow */                                                                                     \
    X(messages, COUNTER, "shoal_messages_total", "", "",                                           \
      "Messages of the events topic taken in")                                                     \
    X(events, COUNTER, "shoal_events_total", "", "result",                                         \
      "Events by what became of them: applied; late (applied with a zero gap, older than "         \
      "the user's last); repeated (dropped, event_id seen recently); declined (dropped, the "      \
      "user has declined to be processed); recovered (applied again without outputs); "            \
      "deadletter (messages written to the dead-letter topic)")                                    \
    X(dead_letters, COUNTER, "shoal_dead_letters_total", "", "reason",                             \
      "Messages written to the dead-letter topic, by status")                                      \
    X(segment_changes, COUNTER, "shoal_segment_changes_total", "", "dimension",                    \
      "Segment changes written")                                                                   \
    X(decisions, COUNTER, "shoal_decisions_total", "", "promotion eligible variant",               \
      "Decisions written, by promotion, answer and variant (treatment or control)")                \
    X(forgotten, COUNTER, "shoal_users_forgotten_total", "", "",                                   \
      "Users forgotten, on request or because they declined to be processed")                      \
    X(timers, COUNTER, "shoal_timers_total", "", "",                                               \
      "Times at which something fell due for a user")                                              \
    X(batches, COUNTER, "shoal_batches_total", "", "",                                             \
      "Micro-batches")                                                                             \
    X(stages, COUNTER, "shoal_stage_seconds_total", "seconds", "stage",                            \
      "Time of the workers by stage of an event's way")                                            \
    /* delay and commits */                                                                        \
    X(delay, HISTOGRAM, "shoal_delay_seconds", "seconds", "",                                      \
      "From a message's Kafka timestamp to the commit that made its outputs visible")              \
    X(commit_duration, HISTOGRAM, "shoal_commit_duration_seconds", "seconds", "",                  \
      "Commits to Kafka that had something to commit: a transaction, or a flush with "             \
      "at_least_once")                                                                             \
    X(last_commit, GAUGE, "shoal_last_commit_timestamp_seconds", "seconds", "worker",              \
      "When the worker last committed, or found nothing to commit; 0: not yet")                    \
    /* lag */                                                                                      \
    X(lag_messages, GAUGE, "shoal_lag_messages", "", "partition",                                  \
      "Messages of the partition behind the last commit, of partitions that this process "         \
      "has")                                                                                       \
    X(lag_seconds, GAUGE, "shoal_lag_seconds", "seconds", "partition",                             \
      "How far behind the last commit is: 0 with no lag, else the age of the last committed"       \
      " message; of a worker that has not committed for 10 seconds at least the time since")       \
    X(recovering, GAUGE, "shoal_recovering_messages", "", "partition",                             \
      "Messages still to be applied again after a restart before outputs go on")                   \
    /* states */                                                                                   \
    X(cache_hits, COUNTER, "shoal_cache_hits_total", "", "",                                       \
      "Users that a micro-batch found in memory")                                                  \
    X(cache_misses, COUNTER, "shoal_cache_misses_total", "", "",                                   \
      "Users that a micro-batch had to ask Redis for")                                             \
    X(cached_users, GAUGE, "shoal_cached_users", "", "",                                           \
      "Users in memory")                                                                           \
    X(unsaved_users, GAUGE, "shoal_unsaved_users", "", "",                                         \
      "Users changed since they were last saved, as of the last commit")                           \
    X(saved, COUNTER, "shoal_records_saved_total", "", "",                                         \
      "Records written to Redis")                                                                  \
    X(rebuilt, COUNTER, "shoal_states_rebuilt_total", "", "",                                      \
      "States recomputed because they were made under another model")                              \
    /* Redis */                                                                                    \
    X(redis_load, HISTOGRAM, "shoal_redis_load_duration_seconds", "seconds", "",                   \
      "Loads of records from Redis, each for the missing users of a partition")                    \
    X(redis_save, HISTOGRAM, "shoal_redis_save_duration_seconds", "seconds", "",                   \
      "Saves of changed records with the checkpoint of a partition")                               \
    X(redis_failures, COUNTER, "shoal_redis_failures_total", "", "",                               \
      "Calls of Redis that failed for good: the session ended with them")                          \
    /* sessions */                                                                                 \
    X(sessions_ended, COUNTER, "shoal_sessions_ended_total", "", "reason",                         \
      "Sessions of workers that ended and, unless the reason is ok or stops the process, "         \
      "began again from the last commit")                                                          \
    X(partitions_moved, COUNTER, "shoal_partitions_moved_total", "", "kind",                       \
      "Partitions that were assigned, revoked (after a commit) or lost (uncommitted work "         \
      "was dropped)")                                                                              \
    /* model and policy */                                                                         \
    X(model_info, GAUGE, "shoal_model_info", "", "version",                                        \
      "Always 1; the label is the model in service")                                               \
    X(model_age, GAUGE, "shoal_model_age_seconds", "seconds", "version",                           \
      "Since the file of the model in service was written")                                        \
    X(model_trained, GAUGE, "shoal_model_trained_until_timestamp_seconds", "seconds", "version",   \
      "Time of the last event that the model in service has learnt from")                          \
    X(policy_info, GAUGE, "shoal_policy_info", "", "version",                                      \
      "Always 1; the label is the version of the promotions in service")                           \
    X(calibration_samples, GAUGE, "shoal_calibration_samples", "", "",                             \
      "Events of the last day whose outcome is known, in the partitions of this process")          \
    X(calibration_predicted, GAUGE, "shoal_calibration_predicted_ratio", "ratio", "",              \
      "Mean probability of a purchase within 24 hours that the model gave those events, "          \
      "uncorrected; NaN without samples")                                                          \
    X(calibration_observed, GAUGE, "shoal_calibration_observed_ratio", "ratio", "",                \
      "Share of those events with a purchase within 24 hours; NaN without samples")                \
    X(calibration_correction, GAUGE, "shoal_calibration_correction", "", "partition",              \
      "What is added to the logit of scores at present, within -1 and 1")                          \
    /* HTTP */                                                                                     \
    X(http_requests, COUNTER, "shoal_http_requests_total", "", "code",                             \
      "HTTP requests answered, by status code")                                                    \
    X(http_duration, HISTOGRAM, "shoal_http_request_duration_seconds", "seconds", "",              \
      "From a request to its answer; of a stream, until it begins")                                \
    X(http_files_refused, GAUGE, "shoal_http_files_refused", "", "",                               \
      "Of http.tokens and http.tls.*: changed files that cannot be used, so that what was "        \
      "read before is still in force")                                                             \
    /* librdkafka */                                                                               \
    X(kafka_rtt, GAUGE, "shoal_kafka_rtt_seconds", "seconds", "client",                            \
      "Round trip to the brokers in the last interval of librdkafka's statistics: mean of "        \
      "the slowest worker")                                                                        \
    X(kafka_rtt_p99, GAUGE, "shoal_kafka_rtt_p99_seconds", "seconds", "client",                    \
      "The same, 99th percentile")                                                                 \
    X(kafka_requests, COUNTER, "shoal_kafka_requests_total", "", "client",                         \
      "Requests sent to brokers")                                                                  \
    X(kafka_retries, COUNTER, "shoal_kafka_request_retries_total", "", "client",                   \
      "Requests that were sent again")                                                             \
    X(kafka_timeouts, COUNTER, "shoal_kafka_request_timeouts_total", "", "client",                 \
      "Requests that no broker answered in time")                                                  \
    X(kafka_sent, COUNTER, "shoal_kafka_sent_messages_total", "", "client",                        \
      "Messages sent to brokers (txmsgs)")                                                         \
    X(kafka_received, COUNTER, "shoal_kafka_received_messages_total", "", "client",                \
      "Messages received from brokers (rxmsgs)")                                                   \
    X(kafka_sent_bytes, COUNTER, "shoal_kafka_sent_bytes_total", "bytes", "client",                \
      "Bytes of all requests sent to brokers")                                                     \
    X(kafka_received_bytes, COUNTER, "shoal_kafka_received_bytes_total", "bytes", "client",        \
      "Bytes of all answers from brokers")                                                         \
    X(kafka_outbuf, GAUGE, "shoal_kafka_waiting_requests", "", "client",                           \
      "Requests that wait to be sent to a broker (outbuf_cnt)")                                    \
    X(kafka_queue, GAUGE, "shoal_kafka_queued_messages", "", "client",                             \
      "Messages in librdkafka's queue: fetched and not yet taken, or not yet delivered")           \
    X(kafka_rebalances, COUNTER, "shoal_kafka_rebalances_total", "", "",                           \
      "Rebalances of the group that librdkafka saw")                                               \
    X(kafka_lag, GAUGE, "shoal_kafka_consumer_lag_messages", "", "partition",                      \
      "librdkafka's own figure of the lag, against what is committed; up to 5 seconds old")        \
    /* process */                                                                                  \
    X(process_cpu, COUNTER, "process_cpu_seconds_total", "seconds", "",                            \
      "Processor time of the process")                                                             \
    X(process_resident, GAUGE, "process_resident_memory_bytes", "bytes", "",                       \
      "Resident memory")                                                                           \
    X(process_virtual, GAUGE, "process_virtual_memory_bytes", "bytes", "",                         \
      "Virtual memory")                                                                            \
    X(process_fds, GAUGE, "process_open_fds", "", "",                                              \
      "Open file descriptors")                                                                     \
    X(process_max_fds, GAUGE, "process_max_fds", "", "",                                           \
      "Most file descriptors that may be open")                                                    \
    X(process_start, GAUGE, "process_start_time_seconds", "seconds", "",                           \
      "When the process began")

#endif
