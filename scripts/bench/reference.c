/*
 * The reference backend of the benchmarks: an MCP server of both eras that costs next to nothing, so that what is
 * measured is the way to it. It answers what the harness sends and is no parser: keys are found by their text.
 *
 *   reference stdio legacy|modern [tools]   lines on stdin and stdout
 *   reference http                          prints its port, serves /legacy, /modern, and their /…-events with SSE answers
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 4096
#define LINE "The gateway passes this line on \\\"as it is\\\".\\n" /* as JSON; calls.ts has the same */

typedef struct {
  char *bytes;
  size_t length, capacity;
} Text;

typedef struct {
  const char *start;
  size_t length;
} Slice;

typedef struct {
  bool is_modern, has_events;
  int tools;
} Mode;

static void reserve(Text *text, size_t more) {
  if (text->length + more <= text->capacity) return;
  while (text->capacity < text->length + more) text->capacity = text->capacity * 2 + 4096;
  text->bytes = realloc(text->bytes, text->capacity);
  if (text->bytes == NULL) abort();
}

static void append(Text *text, const char *bytes, size_t length) {
  reserve(text, length);
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
}

static void append_string(Text *text, const char *string) { append(text, string, strlen(string)); }

static void append_slice(Text *text, Slice slice) { append(text, slice.start, slice.length); }

static void drop_front(Text *text, size_t length) {
  text->length -= length;
  memmove(text->bytes, text->bytes + length, text->length);
}

/* The raw JSON of a string or number after the first `key`, which has its quotes and colon; empty where there is none. */
static Slice value_of(Slice line, const char *key) {
  const char *found = memmem(line.start, line.length, key, strlen(key));
  if (found == NULL) return (Slice){"", 0};
  const char *start = found + strlen(key), *end = line.start + line.length, *at = start;
  if (*start == '"') {
    do {
      at = memchr(at + 1, '"', (size_t)(end - at - 1));
      if (at == NULL) return (Slice){"", 0};
    } while (at[-1] == '\\');
    return (Slice){start, (size_t)(at + 1 - start)};
  }
  while (at < end && *at != ',' && *at != '}') at++;
  return (Slice){start, (size_t)(at - start)};
}

static bool is(Slice slice, const char *string) {
  return slice.length == strlen(string) && memcmp(slice.start, string, slice.length) == 0;
}

/* `count` characters of text, in JSON. The last one is kept: the same size is asked for again and again. */
static void append_filling(Text *out, size_t count) {
  static Text kept;
  static size_t kept_count;
  if (kept_count != count) {
    kept.length = 0;
    const char *at = LINE;
    for (size_t i = 0; i < count; i++, at = *at == '\0' ? LINE : at) {
      size_t length = *at == '\\' ? 2 : 1;
      append(&kept, at, length);
      at += length;
    }
    kept_count = count;
  }
  append(out, kept.bytes, kept.length);
}

static void append_tools(Text *out, int extra) {
  append_string(out,
                "\"tools\":[{\"name\":\"echo\",\"description\":\"Says the text again.\",\"inputSchema\":{\"type\":\"object\","
                "\"properties\":{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]}},"
                "{\"name\":\"fill\",\"description\":\"Gives a text of that many characters.\",\"inputSchema\":{\"type\":"
                "\"object\",\"properties\":{\"count\":{\"type\":\"integer\"}},\"required\":[\"count\"]}},"
                "{\"name\":\"take\",\"description\":\"Takes a text and says how long it is.\",\"inputSchema\":{\"type\":"
                "\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]}}");
  for (int i = 1; i <= extra; i++) {
    char tool[512];
    snprintf(tool, sizeof tool,
             ",{\"name\":\"read_record_%d\",\"description\":\"Reads record %d of the archive and returns its fields.\","
             "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\",\"description\":"
             "\"Where the record lies\"},\"limit\":{\"type\":\"integer\"}},\"required\":[\"path\"]}}",
             i, i);
    append_string(out, tool);
  }
  append_string(out, "]");
}

static void append_call(Text *out, Slice line) {
  Slice name = value_of(line, "\"name\":"), text = value_of(line, "\"text\":");
  append_string(out, "\"content\":[{\"type\":\"text\",\"text\":");
  if (is(name, "\"fill\"")) {
    append_string(out, "\"");
    append_filling(out, strtoul(value_of(line, "\"count\":").start, NULL, 10));
    append_string(out, "\"");
  } else if (is(name, "\"take\"")) {
    char length[32];
    snprintf(length, sizeof length, "\"%zu\"", text.length - 2);
    append_string(out, length);
  } else {
    append_slice(out, text);
  }
  append_string(out, "}]");
}

static void append_error(Text *out, const char *json) {
  append_string(out, ",\"error\":");
  append_string(out, json);
  append_string(out, "}");
}

/* Appends the answer to one message; false where none is due. */
static bool answer(Text *out, Slice line, Mode mode) {
  Slice id = value_of(line, "\"id\":"), method = value_of(line, "\"method\":");
  if (id.length == 0 || method.length == 0) return false;
  bool claims_modern = memmem(line.start, line.length, "io.modelcontextprotocol/protocolVersion", 39) != NULL;
  append_string(out, "{\"jsonrpc\":\"2.0\",\"id\":");
  append_slice(out, id);
  bool opens = is(method, mode.is_modern ? "\"server/discover\"" : "\"initialize\"");
  bool lists = is(method, "\"tools/list\"");
  if (!opens && !lists && !is(method, "\"tools/call\"") && !is(method, "\"ping\"")) {
    append_error(out, "{\"code\":-32601,\"message\":\"Method not found\"}");
    return true;
  }
  append_string(out, ",\"result\":{");
  if (claims_modern) append_string(out, "\"resultType\":\"complete\",");
  if (claims_modern && (opens || lists)) append_string(out, "\"ttlMs\":60000,\"cacheScope\":\"public\",");
  if (opens && mode.is_modern)
    append_string(out, "\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}},"
                       "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"reference\",\"version\":\"1\"}}");
  else if (opens)
    append_string(out, "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},"
                       "\"serverInfo\":{\"name\":\"reference\",\"version\":\"1\"}");
  else if (lists)
    append_tools(out, mode.tools);
  else if (is(method, "\"tools/call\""))
    append_call(out, line);
  else if (claims_modern)
    out->length--; /* the comma after resultType */
  append_string(out, "}}");
  return true;
}

static void write_all(int file, Text *out) {
  for (size_t done = 0; done < out->length;) {
    ssize_t count = write(file, out->bytes + done, out->length - done);
    if (count <= 0) exit(0);
    done += (size_t)count;
  }
  out->length = 0;
}

static void serve_stdio(Mode mode) {
  Text in = {0}, out = {0};
  size_t scanned = 0;
  for (;;) {
    reserve(&in, 1 << 16);
    ssize_t count = read(0, in.bytes + in.length, in.capacity - in.length);
    if (count <= 0) return;
    in.length += (size_t)count;
    size_t start = 0;
    for (char *end; (end = memchr(in.bytes + scanned, '\n', in.length - scanned)) != NULL;) {
      size_t at = (size_t)(end - in.bytes);
      if (answer(&out, (Slice){in.bytes + start, at - start}, mode)) append_string(&out, "\n");
      start = scanned = at + 1;
    }
    drop_front(&in, start);
    scanned = in.length;
    if (out.length > 0) write_all(1, &out);
  }
}

static void append_head(Text *out, const char *status, const char *type, size_t length) {
  char head[256];
  snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\nMcp-Session-Id: reference\r\nContent-Length: %zu\r\n\r\n",
           status, type, length);
  append_string(out, head);
}

static void respond(int client, Slice path, Slice body) {
  static Text out, json;
  Mode mode = {memmem(path.start, path.length, "modern", 6) != NULL, memmem(path.start, path.length, "events", 6) != NULL, 0};
  bool is_foreign = !mode.is_modern && is(value_of(body, "\"method\":"), "\"server/discover\"");
  json.length = 0;
  if (mode.has_events) append_string(&json, "event: message\ndata: ");
  if (!answer(&json, body, mode)) {
    append_string(&out, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  } else if (is_foreign) { /* as servers do that want a session first */
    append_head(&out, "400 Bad Request", "application/json", 0);
  } else {
    if (mode.has_events) append_string(&json, "\n\n");
    append_head(&out, "200 OK", mode.has_events ? "text/event-stream" : "application/json", json.length);
    append(&out, json.bytes, json.length);
  }
  write_all(client, &out);
}

/* Answers one request if it is there whole; returns its length, 0 where more is to come. */
static size_t take_request(int client, const Text *in) {
  const char *end = memmem(in->bytes, in->length, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  size_t head = (size_t)(end + 4 - in->bytes), length = 0;
  for (const char *at = in->bytes; at < end; at = (const char *)memchr(at, '\n', in->length) + 1)
    if (strncasecmp(at, "content-length:", 15) == 0) length = strtoul(at + 15, NULL, 10);
  if (in->length < head + length) return 0;
  const char *space = memchr(in->bytes, ' ', head);
  Slice path = {space, (size_t)((const char *)memchr(space + 1, ' ', head) - space)};
  if (in->bytes[0] == 'P') {
    respond(client, path, (Slice){in->bytes + head, length});
  } else {
    Text out = {0};
    append_string(&out, in->bytes[0] == 'D' ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                                            : "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
    write_all(client, &out);
    free(out.bytes);
  }
  return head + length;
}

static bool read_client(int client, Text *in) {
  reserve(in, 1 << 16);
  ssize_t count = read(client, in->bytes + in->length, in->capacity - in->length);
  if (count <= 0) return false;
  in->length += (size_t)count;
  for (size_t taken; in->length > 0 && (taken = take_request(client, in)) > 0;) drop_front(in, taken);
  return true;
}

static int listen_on_loopback(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1024) != 0) exit(1);
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static void serve_http(void) {
  static struct pollfd files[MAX_CLIENTS];
  static Text inputs[MAX_CLIENTS];
  nfds_t count = 1;
  files[0] = (struct pollfd){listen_on_loopback(), POLLIN, 0};
  while (poll(files, count, -1) > 0) {
    for (nfds_t i = count; i-- > 1;) {
      if (files[i].revents == 0 || read_client(files[i].fd, &inputs[i])) continue;
      close(files[i].fd);
      free(inputs[i].bytes);
      files[i] = files[--count];
      inputs[i] = inputs[count];
      inputs[count] = (Text){0};
    }
    if (files[0].revents == 0 || count == MAX_CLIENTS) continue;
    int client = accept(files[0].fd, NULL, NULL), yes = 1;
    if (client < 0) continue;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    files[count] = (struct pollfd){client, POLLIN, 0};
    inputs[count++] = (Text){0};
  }
}

int main(int count, char **words) {
  signal(SIGPIPE, SIG_IGN);
  if (count >= 3 && strcmp(words[1], "stdio") == 0)
    serve_stdio((Mode){strcmp(words[2], "modern") == 0, false, count > 3 ? atoi(words[3]) : 0});
  else if (count >= 2 && strcmp(words[1], "http") == 0)
    serve_http();
  return 0;
}
