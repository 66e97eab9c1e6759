// Giving up one POST must never reach another, although their controllers serve again and again.

import { describe, expect, test } from "bun:test";
import { OpenPosts } from "../../src/transport/open-posts.ts";

describe("the POSTs of a wire", () => {
  test("are given up by the id of their request, or all at once", () => {
    const posts = new OpenPosts();
    const [first, second, notification] = [
      posts.begin(1, true),
      posts.begin(2, true),
      posts.begin(undefined, true),
    ];
    posts.giveUp(1);
    expect([first, second, notification].map(({ signal }) => signal.aborted)).toEqual([true, false, false]);
    posts.giveUpAll();
    expect([first, second, notification].map(({ signal }) => signal.aborted)).toEqual([true, true, true]);
  });

  test("that are over are given up no more, whoever has their controller now", () => {
    const posts = new OpenPosts();
    const old = posts.begin(1, false);
    posts.end(old, true);
    const next = posts.begin(2, false);
    expect(next.signal).toBe(old.signal);
    old.giveUp();
    posts.giveUp(1);
    expect(next.signal.aborted).toBe(false);
    posts.giveUp(2);
    expect(next.signal.aborted).toBe(true);
  });

  test("give their controller to one other only, however often their end is told", () => {
    const posts = new OpenPosts();
    const old = posts.begin(1, false);
    posts.end(old, true);
    posts.end(old, true);
    expect(posts.begin(2, false).signal).not.toBe(posts.begin(3, false).signal);
  });

  test("keep a controller for themselves that was aborted, or that a response may still listen to", () => {
    const posts = new OpenPosts();
    const aborted = posts.begin(1, false);
    aborted.giveUp();
    posts.end(aborted, true);
    const unread = posts.begin(2, false);
    expect(unread.signal).not.toBe(aborted.signal);
    posts.end(unread, false);
    expect(posts.begin(3, false).signal).not.toBe(unread.signal);
  });

  test("with an id that is in use again are not ended by the one before", () => {
    const posts = new OpenPosts();
    const before = posts.begin(1, false);
    const now = posts.begin(1, false);
    posts.end(before, true);
    posts.giveUp(1);
    expect(now.signal.aborted).toBe(true);
  });
});
