// The whole of simdjson is inlined here, so this file is compiled with -O2 whatever the rest is.
#include "CHotPath.h"

#include <simdjson.h>
#include <string_view>
#include <vector>

using namespace simdjson;

namespace {

// Records of about the size of Weir's own.
struct Attribute {
    std::string_view key, text;
    uint64_t bits;
    uint8_t kind;
};

struct Event {
    std::string_view name;
    uint64_t time;
    uint32_t attribute_start, attribute_count;
};

struct Span {
    uint64_t trace_high, trace_low, span, parent, start, end;
    std::string_view name, state, message;
    uint32_t attribute_start, attribute_count, event_start, event_count, flags;
    uint8_t kind, status;
};

struct Batch {
    ondemand::parser parser;
    std::vector<Span> spans;
    std::vector<Attribute> attributes;
    std::vector<Event> events;
};

uint8_t nibble(char c) { return (c & 15) + (c > '9' ? 9 : 0); }

uint64_t hex(std::string_view text, size_t start) {
    uint64_t value = 0;
    for (size_t i = start; i < start + 16 && i < text.size(); i++) value = value << 4 | nibble(text[i]);
    return value;
}

uint64_t number(ondemand::value value) {
    return value.type() == ondemand::json_type::string ? uint64_t(value.get_uint64_in_string()) : uint64_t(value.get_uint64());
}

void any_value(ondemand::object object, Attribute &out) {
    for (auto member : object) {
        ondemand::raw_json_string key = member.key();
        ondemand::value value = member.value();
        if (key == "stringValue") {
            out.text = value.get_string();
            out.kind = 1;
        } else if (key == "intValue") {
            out.bits = value.type() == ondemand::json_type::string ? uint64_t(int64_t(value.get_int64_in_string()))
                                                                   : uint64_t(int64_t(value.get_int64()));
            out.kind = 3;
        } else if (key == "boolValue") {
            out.bits = bool(value.get_bool());
            out.kind = 2;
        } else if (key == "doubleValue") {
            double number = value.get_double();
            memcpy(&out.bits, &number, 8);
            out.kind = 4;
        } else if (key == "arrayValue") {
            for (auto inner : ondemand::object(value.get_object())) {
                if (!(ondemand::raw_json_string(inner.key()) == "values")) continue;
                for (auto element : inner.value().get_array()) {
                    Attribute ignored{};
                    any_value(element.get_object(), ignored);
                    out.bits++;
                }
            }
            out.kind = 5;
        }
    }
}

void attributes(Batch &batch, ondemand::array array) {
    for (auto item : array) {
        Attribute attribute{};
        for (auto member : ondemand::object(item.get_object())) {
            ondemand::raw_json_string key = member.key();
            if (key == "key") attribute.key = member.value().get_string();
            else if (key == "value") any_value(member.value().get_object(), attribute);
        }
        batch.attributes.push_back(attribute);
    }
}

void event(Batch &batch, ondemand::object object) {
    Event event{};
    for (auto member : object) {
        ondemand::raw_json_string key = member.key();
        if (key == "timeUnixNano") event.time = number(member.value());
        else if (key == "name") event.name = member.value().get_string();
        else if (key == "attributes") {
            event.attribute_start = batch.attributes.size();
            attributes(batch, member.value().get_array());
            event.attribute_count = batch.attributes.size() - event.attribute_start;
        }
    }
    batch.events.push_back(event);
}

void span(Batch &batch, ondemand::object object) {
    Span span{};
    for (auto member : object) {
        ondemand::raw_json_string key = member.key();
        ondemand::value value = member.value();
        if (key == "traceId") {
            std::string_view id = value.get_string();
            span.trace_high = hex(id, 0);
            span.trace_low = hex(id, 16);
        } else if (key == "spanId") span.span = hex(value.get_string(), 0);
        else if (key == "parentSpanId") span.parent = hex(value.get_string(), 0);
        else if (key == "name") span.name = value.get_string();
        else if (key == "kind") span.kind = uint64_t(value.get_uint64());
        else if (key == "flags") span.flags = uint64_t(value.get_uint64());
        else if (key == "traceState") span.state = value.get_string();
        else if (key == "startTimeUnixNano") span.start = number(value);
        else if (key == "endTimeUnixNano") span.end = number(value);
        else if (key == "attributes") {
            span.attribute_start = batch.attributes.size();
            attributes(batch, value.get_array());
            span.attribute_count = batch.attributes.size() - span.attribute_start;
        } else if (key == "events") {
            span.event_start = batch.events.size();
            for (auto item : value.get_array()) event(batch, item.get_object());
            span.event_count = batch.events.size() - span.event_start;
        } else if (key == "status") {
            for (auto part : ondemand::object(value.get_object())) {
                ondemand::raw_json_string name = part.key();
                if (name == "code") span.status = uint64_t(part.value().get_uint64());
                else if (name == "message") span.message = part.value().get_string();
            }
        }
    }
    batch.spans.push_back(span);
}

void scope_spans(Batch &batch, ondemand::object object) {
    for (auto member : object) {
        ondemand::raw_json_string key = member.key();
        if (key == "spans") {
            for (auto item : member.value().get_array()) span(batch, item.get_object());
        } else if (key == "scope") {
            Attribute name{};
            for (auto part : ondemand::object(member.value().get_object())) {
                ondemand::raw_json_string text = part.key();
                if (text == "name") name.key = part.value().get_string();
                else if (text == "version") name.text = part.value().get_string();
            }
            batch.attributes.push_back(name);
        }
    }
}

void resource_spans(Batch &batch, ondemand::object object) {
    for (auto member : object) {
        ondemand::raw_json_string key = member.key();
        if (key == "scopeSpans") {
            for (auto item : member.value().get_array()) scope_spans(batch, item.get_object());
        } else if (key == "resource") {
            for (auto part : ondemand::object(member.value().get_object())) {
                if (ondemand::raw_json_string(part.key()) == "attributes") attributes(batch, part.value().get_array());
            }
        }
    }
}

}  // namespace

int hotpath_simdjson(const uint8_t *data, size_t size) {
    static Batch batch;
    batch.spans.clear();
    batch.attributes.clear();
    batch.events.clear();
    try {
        auto document = batch.parser.iterate(reinterpret_cast<const char *>(data), size, size + SIMDJSON_PADDING);
        for (auto member : ondemand::object(document.get_object())) {
            if (!(ondemand::raw_json_string(member.key()) == "resourceSpans")) continue;
            for (auto item : member.value().get_array()) resource_spans(batch, item.get_object());
        }
        return int(batch.spans.size());
    } catch (const simdjson_error &) {
        return -1;
    }
}
