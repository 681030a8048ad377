/* Runs a SavedModel's serving_default through TensorFlow's C API: no Python, no Keras, only the ops of the library.
 *
 *     serve SAVED_MODEL NAME=FILE:D0xD1x… …
 *
 * Each FILE holds the raw little-endian numbers of input NAME, of the type that the signature states. Every output
 * is printed on a line of its own: its name, its dimensions, then "=" and all its values.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

enum { MOST = 16 };

static void die(const char *what, const char *which) {
    fprintf(stderr, "%s: %s\n", what, which);
    exit(1);
}

static void expect_ok(const TF_Status *status, const char *what) {
    if (TF_GetCode(status) != TF_OK) die(what, TF_Message(status));
}

/* ---- Reading the signature: just enough of the protocol buffer format to walk maps of strings. ---- */

typedef struct { const unsigned char *at, *end; } Bytes;
typedef struct { int number; uint64_t value; Bytes bytes; } Field;

static uint64_t read_varint(Bytes *from) {
    uint64_t value = 0;
    for (int shift = 0; from->at < from->end; shift += 7) {
        unsigned char byte = *from->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) break;
    }
    return value;
}

static int next_field(Bytes *message, Field *field) {
    if (message->at >= message->end) return 0;
    uint64_t tag = read_varint(message);
    *field = (Field){.number = (int)(tag >> 3)};
    switch (tag & 7) {
        case 0: field->value = read_varint(message); break;
        case 1: message->at += 8; break;
        case 5: message->at += 4; break;
        case 2: {
            uint64_t length = read_varint(message);
            field->bytes = (Bytes){message->at, message->at + length};
            message->at += length;
        }
    }
    return 1;
}

static Bytes submessage(Bytes message, int number) {
    for (Field field; next_field(&message, &field);)
        if (field.number == number) return field.bytes;
    return (Bytes){0};
}

static char *as_text(Bytes bytes) { return strndup((const char *)bytes.at, (size_t)(bytes.end - bytes.at)); }

typedef struct { char *name; TF_DataType type; TF_Output tensor; } Port;

/* A map<string, TensorInfo> of a SignatureDef (1: inputs, 2: outputs), each entry found in the graph. */
static int read_ports(Bytes signature, int map, TF_Graph *graph, Port *ports) {
    int count = 0;
    for (Field entry; next_field(&signature, &entry);) {
        if (entry.number != map) continue;
        if (count == MOST) die("too many tensors", "in the signature");
        Bytes info = submessage(entry.bytes, 2);
        Port *port = &ports[count++];
        port->name = as_text(submessage(entry.bytes, 1));
        for (Field field; next_field(&info, &field);) {
            if (field.number == 2) port->type = (TF_DataType)field.value;
            if (field.number != 1) continue;
            char *operation = as_text(field.bytes), *colon = strrchr(operation, ':');
            if (colon) *colon = 0;
            port->tensor = (TF_Output){TF_GraphOperationByName(graph, operation), colon ? atoi(colon + 1) : 0};
            if (!port->tensor.oper) die("not in the graph", operation);
        }
    }
    return count;
}

/* ---- Tensors in and out. ---- */

/* "NAME=FILE:7x24x3" → the file's numbers as a tensor of that shape. */
static TF_Tensor *read_tensor(char *argument, TF_DataType type) {
    char *path = strchr(argument, '=') + 1, *shape = strrchr(path, ':');
    if (!shape) die("no shape given", argument);
    *shape++ = 0;
    int64_t dims[MOST], count = 1;
    int rank = 0;
    for (char *d = strtok(shape, "x"); d && rank < MOST; d = strtok(NULL, "x")) count *= dims[rank++] = atoll(d);
    TF_Tensor *tensor = TF_AllocateTensor(type, dims, rank, (size_t)count * TF_DataTypeSize(type));
    FILE *file = fopen(path, "rb");
    if (!file) die("cannot open", path);
    if (fread(TF_TensorData(tensor), TF_DataTypeSize(type), (size_t)count, file) != (size_t)count) die("too short", path);
    fclose(file);
    return tensor;
}

static void print_tensor(const char *name, const TF_Tensor *tensor) {
    const void *data = TF_TensorData(tensor);
    printf("%s", name);
    for (int d = 0; d < TF_NumDims(tensor); d++) printf(" %" PRId64, TF_Dim(tensor, d));
    printf(" =");
    for (int64_t i = 0; i < TF_TensorElementCount(tensor); i++) {
        if (TF_TensorType(tensor) == TF_FLOAT) printf(" %.9g", ((const float *)data)[i]);
        else if (TF_TensorType(tensor) == TF_INT64) printf(" %" PRId64, ((const int64_t *)data)[i]);
        else die("no way to print this type of output", name);
    }
    printf("\n");
}

int main(int argc, char **argv) {
    if (argc < 3) die("usage", "serve SAVED_MODEL NAME=FILE:D0xD1… …");
    const char *tags[] = {"serve"};
    TF_Status *status = TF_NewStatus();
    TF_Graph *graph = TF_NewGraph();
    TF_Buffer *meta = TF_NewBuffer();
    TF_Session *session =
        TF_LoadSessionFromSavedModel(TF_NewSessionOptions(), NULL, argv[1], tags, 1, graph, meta, status);
    expect_ok(status, "cannot load");

    Bytes graph_def = {meta->data, (const unsigned char *)meta->data + meta->length}, signature = {0};
    for (Field entry; next_field(&graph_def, &entry);)
        if (entry.number == 5 && !strcmp(as_text(submessage(entry.bytes, 1)), "serving_default"))
            signature = submessage(entry.bytes, 2);
    if (!signature.at) die("no signature", "serving_default");

    Port inputs[MOST], outputs[MOST];
    TF_Output feeds[MOST], fetches[MOST];
    TF_Tensor *given[MOST], *results[MOST];
    int feed_count = read_ports(signature, 1, graph, inputs), fetch_count = read_ports(signature, 2, graph, outputs);
    for (int i = 0; i < feed_count; i++) {
        size_t length = strlen(inputs[i].name);
        char *argument = NULL;
        for (int a = 2; a < argc; a++)
            if (!strncmp(argv[a], inputs[i].name, length) && argv[a][length] == '=') argument = argv[a];
        if (!argument) die("input not given", inputs[i].name);
        feeds[i] = inputs[i].tensor;
        given[i] = read_tensor(argument, inputs[i].type);
    }
    for (int i = 0; i < fetch_count; i++) fetches[i] = outputs[i].tensor;

    TF_SessionRun(session, NULL, feeds, given, feed_count, fetches, results, fetch_count, NULL, 0, NULL, status);
    expect_ok(status, "cannot run");
    for (int i = 0; i < fetch_count; i++) print_tensor(outputs[i].name, results[i]);
    return 0;
}
