#include "conformance/wire/build.h"

#include <flatbuffers/flatbuffers.h>
#include <flatbuffers/reflection.h>

#include <cstring>

#include "conformance/runner/failure.h"
#include "conformance/wire/schema_bytes.h"

namespace conformance {

Value::Value(Table table) : Value(std::vector<Table>{std::move(table)}) {}
Value::Value(std::vector<Table> tables)
    : held_(std::make_shared<const std::vector<Table>>(std::move(tables))) {}

Table Table::with(std::string field, Value value) const {
  Table changed = *this;
  changed.fields.emplace_back(std::move(field), std::move(value));
  return changed;
}

Table Table::without(const std::string& field) const {
  Table changed = *this;
  std::erase_if(changed.fields, [&](const auto& entry) { return entry.first == field; });
  return changed;
}

namespace {

using Builder = flatbuffers::FlatBufferBuilder;
using flatbuffers::uoffset_t;

// The published schemas, as flatc gives them out (frame.fbs includes identity.fbs).
const reflection::Object& object_of(const std::string& name) {
  const std::string full = "sealwire.wire." + name;
  for (const unsigned char* schema : {kFrameSchema, kEnvelopeSchema, kContentSchema})
    if (const auto* found = reflection::GetSchema(schema)->objects()->LookupByKey(full.c_str()))
      return *found;
  throw Failure("the schema has no table " + name);
}

std::uint64_t tag_of(const std::string& member) {
  for (const auto* type : *reflection::GetSchema(kFrameSchema)->enums()) {
    if (!type->is_union()) continue;
    for (const auto* value : *type->values())
      if (value->name()->str() == member) return static_cast<std::uint64_t>(value->value());
  }
  throw Failure("no union has " + member);
}

uoffset_t put_table(Builder& b, const Table& table);

uoffset_t put_value(Builder& b, const reflection::Field& field, const Value& value) {
  const auto& held = value.held();
  if (const auto* bytes = std::get_if<Bytes>(&held)) return b.CreateVector(*bytes).o;
  if (const auto* text = std::get_if<std::string>(&held)) return b.CreateString(*text).o;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&held))
    return b.CreateVectorOfStrings(*texts).o;
  if (const auto* numbers = std::get_if<std::vector<std::uint64_t>>(&held)) {
    std::vector<std::uint16_t> narrow(numbers->begin(), numbers->end());
    return b.CreateVector(narrow).o;
  }
  const auto& tables = *std::get<Tables>(held);
  if (field.type()->base_type() != reflection::Vector) return put_table(b, tables.at(0));
  std::vector<flatbuffers::Offset<void>> offsets;
  for (const Table& each : tables)
    offsets.emplace_back(put_table(b, each));
  return b.CreateVector(offsets).o;
}

void put_scalar(Builder& b, const reflection::Field& field, std::uint64_t number) {
  const std::uint16_t slot = field.offset();
  switch (flatbuffers::GetTypeSize(field.type()->base_type())) {
    case 1:
      return b.AddElement(slot, static_cast<std::uint8_t>(number));
    case 2:
      return b.AddElement(slot, static_cast<std::uint16_t>(number));
    case 4:
      return b.AddElement(slot, static_cast<std::uint32_t>(number));
    default:
      return b.AddElement(slot, number);
  }
}

uoffset_t put_table(Builder& b, const Table& table) {
  const reflection::Object& object = object_of(table.name);
  struct Put {
    const reflection::Field* field;
    std::uint64_t number;  // or the offset of what was put before
    bool scalar;
  };
  std::vector<Put> puts;
  const auto put = [&](Put one) {
    for (Put& each : puts)
      if (each.field == one.field) return void(each = one);
    puts.push_back(one);
  };
  for (const auto& [name, value] : table.fields) {
    const auto* field = object.fields()->LookupByKey(name.c_str());
    if (field == nullptr) throw Failure(table.name + " has no field " + name);
    if (const auto* number = std::get_if<std::uint64_t>(&value.held())) {
      put({field, *number, true});
      continue;
    }
    put({field, put_value(b, *field, value), false});
    if (field->type()->base_type() == reflection::Union) {
      const auto* tag = object.fields()->LookupByKey((name + "_type").c_str());
      put({tag, tag_of(std::get<Tables>(value.held())->at(0).name), true});
    }
  }
  const auto start = b.StartTable();
  for (int size : {8, 4, 2, 1})  // widest first, as flatc packs them
    for (const Put& each : puts) {
      const auto type = each.field->type()->base_type();
      const int wide = each.scalar ? static_cast<int>(flatbuffers::GetTypeSize(type)) : 4;
      if (wide != size) continue;
      if (each.scalar)
        put_scalar(b, *each.field, each.number);
      else
        b.AddOffset(each.field->offset(),
                    flatbuffers::Offset<void>(static_cast<uoffset_t>(each.number)));
    }
  return b.EndTable(start);
}

}  // namespace

Bytes finish(std::string_view identifier, const Table& root) {
  Builder b(512);
  b.Finish(flatbuffers::Offset<void>(put_table(b, root)), std::string(identifier).c_str());
  return Bytes(b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize());
}

Bytes frame(Table body) {
  return finish("SWFR", {"Frame", {{"body", std::move(body)}}});
}

Bytes shared_tables(std::size_t bundles, std::size_t envelopes) {
  Builder b(512);
  using Offset = flatbuffers::Offset<void>;
  const auto vector_of = [&b](Offset one, std::size_t count) {
    return Offset(b.CreateVector(std::vector<Offset>(count, one)).o);
  };
  const auto table_of = [&b](const char* name, const char* field, Offset value) {
    const auto start = b.StartTable();
    b.AddOffset(object_of(name).fields()->LookupByKey(field)->offset(), value);
    return Offset(b.EndTable(start));
  };
  const Offset envelope = table_of("EnvelopeBytes", "bytes", Offset(b.CreateVector(Bytes(1)).o));
  const Offset bundle = table_of("Bundle", "envelopes", vector_of(envelope, envelopes));
  const Offset send = table_of("Send", "bundles", vector_of(bundle, bundles));
  const auto start = b.StartTable();
  const auto* fields = object_of("Frame").fields();
  b.AddOffset(fields->LookupByKey("body")->offset(), send);
  b.AddElement(fields->LookupByKey("body_type")->offset(),
               static_cast<std::uint8_t>(tag_of("Send")));
  b.Finish(Offset(b.EndTable(start)), "SWFR");
  return Bytes(b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize());
}

}  // namespace conformance
