// Whose a question is that comes on a wire for all: found by elimination among the calls that were there when it came.

import { expect, test } from "bun:test";
import { BackendQuestions } from "../../../src/backend/connection/backend-questions.ts";
import { Pending, PendingCalls } from "../../../src/backend/connection/pending.ts";
import { type Notification, type Response, request } from "../../../src/protocol/jsonrpc.ts";
import { waitFor } from "../../support/wait-for.ts";

class Stage {
  readonly pending = new PendingCalls(() => {});
  readonly asked: string[] = [];
  readonly replies: (Notification | Response)[] = [];
  readonly questions = new BackendQuestions({
    pending: this.pending,
    reply: (response) => void this.replies.push(response),
    askOutsideOfCalls: undefined,
  });

  begin(id: number, owner: string, method = "tools/call"): void {
    const onQuestion = () => {
      this.asked.push(owner);
      return Promise.resolve({ action: "accept" });
    };
    const waiting = { owner, timeoutMs: 0, listener: { onQuestion } };
    this.pending.add(new Pending({ id, method }, waiting, () => {}));
  }

  /** The backend has answered it. */
  end(id: number): void {
    this.pending.take(id);
    this.questions.review();
  }

  /** Its client has cancelled it. */
  giveUp(id: number): void {
    const pending = this.pending.take(id);
    if (pending !== undefined) this.pending.haunt(pending);
    this.questions.review();
  }

  ask(): void {
    this.questions.putToSoleOwner(request("q", "elicitation/create", { message: "?" }));
  }
}

test("a server may ask while it completes or lists, so a call of a tool is not taken for the one that asks", () => {
  const stage = new Stage();
  stage.begin(1, "anna", "tools/call");
  stage.begin(2, "ben", "completion/complete");
  stage.ask();
  expect(stage.asked).toEqual([]);
  stage.end(1);
  expect(stage.asked).toEqual(["ben"]);
});

test("a call that began after the question is never asked it", async () => {
  const stage = new Stage();
  stage.begin(1, "anna");
  stage.begin(2, "ben");
  stage.ask();
  stage.begin(3, "carla");
  stage.end(1);
  expect(stage.asked).toEqual(["ben"]);

  const other = new Stage();
  other.begin(1, "anna");
  other.begin(2, "ben");
  other.ask();
  other.begin(3, "carla");
  // Both are gone in one turn, as when they time out together: nobody who is left can have asked.
  other.pending.take(1);
  other.end(2);
  await waitFor(() => other.replies.length > 0);
  expect(other.asked).toEqual([]);
  expect(other.replies).toMatchObject([{ id: "q", error: { code: -32603 } }]);
});

test("a question that a call may have asked which was then cancelled is nobody's", async () => {
  const stage = new Stage();
  stage.begin(1, "anna");
  stage.begin(2, "ben");
  stage.ask();
  stage.giveUp(1);
  await waitFor(() => stage.replies.length > 0);
  // Its late answer says nothing of its question: a server lets go of those of a cancelled call.
  stage.pending.layToRest(1);
  stage.questions.review();
  expect(stage.asked).toEqual([]);
  expect(stage.replies).toMatchObject([{ id: "q", error: { code: -32603 } }]);
});
