import { describe, expect, test } from "bun:test";
import { writeMessage } from "../../src/protocol/jsonrpc.ts";
import { idOfResponse, MessageLines } from "../../src/transport/message-lines.ts";
import type { Incoming } from "../../src/transport/transport.ts";
import { recordLog } from "../support/log-recorder.ts";

function lines() {
  const { log, lines: logged } = recordLog();
  const incoming: Incoming[] = [];
  const skipped: string[] = [];
  const messages = new MessageLines(
    log,
    (one) => incoming.push(one),
    (text) => skipped.push(text),
  );
  return { messages, incoming, logged, skipped };
}

describe("a line that is a message", () => {
  test("is told with its exact text", () => {
    const { messages, incoming, logged } = lines();
    const text = '{ "jsonrpc":"2.0", "id":7, "result":{"n":1.0,"big":12345678901234567890} }';
    messages.read(text);
    expect(incoming).toHaveLength(1);
    const message = incoming[0]?.message;
    expect(message).toMatchObject({ id: 7 });
    expect(message !== undefined && writeMessage(message)).toBe(
      '{"jsonrpc":"2.0","id":7,"result":{"n":1.0,"big":12345678901234567890}}',
    );
    expect(logged).toEqual([]);
  });

  test("may have a byte order mark before it and a carriage return behind it", () => {
    const { messages, incoming } = lines();
    messages.read('\u{feff}{"jsonrpc":"2.0","method":"ping","id":"a"}\r');
    expect(incoming[0]?.message).toEqual({ jsonrpc: "2.0", method: "ping", id: "a" });
  });

  test("may hold several in an array, each told by itself", () => {
    const { messages, incoming, logged } = lines();
    messages.read('[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","method":"x"},17]');
    expect(incoming.map(({ message }) => message)).toEqual([
      { jsonrpc: "2.0", id: 1, result: {} },
      { jsonrpc: "2.0", method: "x" },
    ]);
    expect(logged).toHaveLength(1);
  });
});

describe("a line that is no message", () => {
  test("is skipped with a warning that shows it, cut", () => {
    const { messages, incoming, logged, skipped } = lines();
    messages.read("Server listening…");
    messages.read('{"hello":"world"}');
    messages.read(`noise ${"y".repeat(5_000)}`);
    expect(incoming).toEqual([]);
    expect(skipped).toHaveLength(3);
    expect(logged.map((line) => line.level)).toEqual(["WARNING", "WARNING", "WARNING"]);
    expect(logged[0]).toMatchObject({ line: "Server listening…" });
    expect(logged[0]?.message).toContain("no JSON;");
    expect(logged[1]?.message).toContain("no JSON-RPC message");
    expect(String(logged[2]?.line).length).toBeLessThan(250);
  });

  test("is skipped however deep it nests, alone or in an array", () => {
    const { messages, incoming, logged } = lines();
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    messages.read(deep);
    messages.read(`[${deep},{"jsonrpc":"2.0","method":"x"}]`);
    expect(incoming).toHaveLength(1);
    expect(logged).toHaveLength(2);
    for (const line of logged) expect(String(line.line).length).toBeLessThan(250);
  });

  test("is only counted when there are many", () => {
    const { messages, logged } = lines();
    for (let turn = 0; turn < 1_000; turn++) messages.read(`debug ${turn}`);
    expect(logged).toHaveLength(5);
    messages.close();
    expect(logged).toHaveLength(6);
    expect(logged[5]).toMatchObject({ level: "WARNING", lines: 995 });
    messages.close();
    expect(logged).toHaveLength(6);
  });

  test("is no cause for a word when it is blank", () => {
    const { messages, incoming, logged } = lines();
    for (const blank of ["", "   ", "\r", "\t\r"]) messages.read(blank);
    expect([incoming, logged]).toEqual([[], []]);
  });
});

describe("the id of an answer that was too long", () => {
  const idOf = (head: string, tail: string) => idOfResponse({ bytes: 1e9, head, tail });

  test("is read where the envelope shows it", () => {
    expect(idOf('{"jsonrpc":"2.0","id":12,"result":{"content":[', "xxx]}}")).toBe(12);
    expect(idOf('{ "id" : "a-1", "jsonrpc" : "2.0", "result" : {', "}}")).toBe("a-1");
    expect(idOf('{"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"', '"}}')).toBe(3);
    expect(idOf('{"result":{"content":[{"text":"', 'xx"}]},"jsonrpc":"2.0","id":44}')).toBe(44);
    expect(idOf('{"jsonrpc":"2.0","result":{"a":"', '"},"id":45}\r')).toBe(45);
  });

  test("is none where it is no JSON", () => {
    expect(idOf('{"jsonrpc":"2.0","id":-007,"result":{"text":"', '"}}')).toBeUndefined();
    expect(idOf('{"jsonrpc":"2.0","id":"a\tb","result":{"text":"', '"}}')).toBeUndefined();
    expect(idOf('{"jsonrpc":"2.0","id":0,"result":{"text":"', '"}}')).toBe(0);
    expect(idOf('{"jsonrpc":"2.0","id":"ä~ ","result":{"text":"', '"}}')).toBe("ä~ ");
  });

  test("is not guessed from what may be nested, or from a request", () => {
    expect(idOf('{"result":{"id":5,"text":"', '"},"jsonrpc":"2.0"}')).toBeUndefined();
    expect(idOf('{"result":{"text":"', '"},"x":{"a":1,"id":6}}')).toBeUndefined();
    expect(idOf('{"result":{"text":"', String.raw`,\"id\":7}"}}`)).toBeUndefined();
    expect(
      idOf('{"jsonrpc":"2.0","id":8,"method":"sampling/createMessage","params":{', "}}"),
    ).toBeUndefined();
    expect(idOf('{"method":"x","params":{', '},"jsonrpc":"2.0","id":9}')).toBeUndefined();
    expect(idOf("x".repeat(500), "x".repeat(500))).toBeUndefined();
  });
});
