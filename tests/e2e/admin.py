# SPDX-License-Identifier: Apache-2.0
"""What kcat cannot do: more partitions for a topic, another offset for a group. By the very
librdkafka that the processor is linked with."""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p

from processes import Failure

CONSUMER, TIMEOUT_MS = 1, 15000

_lib = ctypes.CDLL("librdkafka.so.1")
for _name, _result, _arguments in (
        ("conf_new", c_void_p, ()),
        ("conf_set", c_int, (c_void_p, c_char_p, c_char_p, c_char_p, c_size_t)),
        ("new", c_void_p, (c_int, c_void_p, c_char_p, c_size_t)),
        ("destroy", None, (c_void_p,)),
        ("err2str", c_char_p, (c_int,)),
        ("topic_partition_list_new", c_void_p, (c_int,)),
        ("topic_partition_list_add", c_void_p, (c_void_p, c_char_p, c_int32)),
        ("topic_partition_list_set_offset", c_int, (c_void_p, c_char_p, c_int32, c_int64)),
        ("topic_partition_list_destroy", None, (c_void_p,)),
        ("commit", c_int, (c_void_p, c_void_p, c_int)),
        ("NewPartitions_new", c_void_p, (c_char_p, c_size_t, c_char_p, c_size_t)),
        ("NewPartitions_destroy", None, (c_void_p,)),
        ("CreatePartitions", None, (c_void_p, POINTER(c_void_p), c_size_t, c_void_p, c_void_p)),
        ("DeleteRecords_new", c_void_p, (c_void_p,)),
        ("DeleteRecords_destroy", None, (c_void_p,)),
        ("DeleteRecords", None, (c_void_p, POINTER(c_void_p), c_size_t, c_void_p, c_void_p)),
        ("queue_new", c_void_p, (c_void_p,)),
        ("queue_poll", c_void_p, (c_void_p, c_int)),
        ("queue_destroy", None, (c_void_p,)),
        ("event_error", c_int, (c_void_p,)),
        ("event_CreatePartitions_result", c_void_p, (c_void_p,)),
        ("CreatePartitions_result_topics", POINTER(c_void_p), (c_void_p, POINTER(c_size_t))),
        ("topic_result_error", c_int, (c_void_p,)),
        ("event_destroy", None, (c_void_p,))):
    _function = getattr(_lib, "rd_kafka_" + _name)
    _function.restype, _function.argtypes = _result, _arguments


class Admin:
    """A client for one task: `with Admin(address, group) as admin`."""

    def __init__(self, address, group="admin"):
        reason = ctypes.create_string_buffer(512)
        conf = _lib.rd_kafka_conf_new()
        for name, value in (("bootstrap.servers", address), ("group.id", group), ("log_level", "0")):
            _lib.rd_kafka_conf_set(conf, name.encode(), value.encode(), reason, len(reason))
        self._client = _lib.rd_kafka_new(CONSUMER, conf, reason, len(reason))
        if not self._client:
            raise Failure(f"librdkafka: {reason.value.decode()}")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        _lib.rd_kafka_destroy(self._client)

    def _one_offset(self, topic, partition, offset):
        offsets = _lib.rd_kafka_topic_partition_list_new(1)
        _lib.rd_kafka_topic_partition_list_add(offsets, topic.encode(), partition)
        _lib.rd_kafka_topic_partition_list_set_offset(offsets, topic.encode(), partition, offset)
        return offsets

    def commit(self, topic, partition, offset):
        """Sets the group's offset. The error as text, None if it worked: a group that has members
        refuses."""
        offsets = self._one_offset(topic, partition, offset)
        error = _lib.rd_kafka_commit(self._client, offsets, 0)
        _lib.rd_kafka_topic_partition_list_destroy(offsets)
        return _lib.rd_kafka_err2str(error).decode() if error else None

    def _ask(self, request, wanted):
        """Sends an admin request and returns the event that answers it; the caller destroys it."""
        queue = _lib.rd_kafka_queue_new(self._client)
        request(self._client, byref(wanted), 1, None, queue)
        event = _lib.rd_kafka_queue_poll(queue, TIMEOUT_MS)
        _lib.rd_kafka_queue_destroy(queue)
        if not event:
            raise Failure("the broker did not answer an admin request in time")
        return event

    def delete_before(self, topic, partition, offset):
        """As retention would: the partition begins at this offset."""
        offsets = self._one_offset(topic, partition, offset)
        wanted = c_void_p(_lib.rd_kafka_DeleteRecords_new(offsets))
        event = self._ask(_lib.rd_kafka_DeleteRecords, wanted)
        error = _lib.rd_kafka_event_error(event)
        _lib.rd_kafka_event_destroy(event)
        _lib.rd_kafka_DeleteRecords_destroy(wanted)
        _lib.rd_kafka_topic_partition_list_destroy(offsets)
        if error:
            raise Failure(f"records were not deleted: {_lib.rd_kafka_err2str(error).decode()}")

    def grow(self, topic, partitions):
        """More partitions for a topic."""
        reason = ctypes.create_string_buffer(512)
        wanted = c_void_p(_lib.rd_kafka_NewPartitions_new(topic.encode(), partitions, reason, len(reason)))
        event = self._ask(_lib.rd_kafka_CreatePartitions, wanted)
        error = _lib.rd_kafka_event_error(event)
        if not error:
            count = c_size_t()
            results = _lib.rd_kafka_CreatePartitions_result_topics(
                _lib.rd_kafka_event_CreatePartitions_result(event), byref(count))
            error = _lib.rd_kafka_topic_result_error(results[0])
        _lib.rd_kafka_event_destroy(event)
        _lib.rd_kafka_NewPartitions_destroy(wanted)
        if error:
            raise Failure(f"{topic} could not grow: {_lib.rd_kafka_err2str(error).decode()}")
