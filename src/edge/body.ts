// The body of a request, as text.

/** Undefined where the client left before its end, or sent more than we take: nobody reads an answer to that. */
export function readBody(request: Request): Promise<string | undefined> {
  return request.text().catch(gone);
}

function gone(): undefined {
  return;
}

/** The server below has cut the connection, and answered 413 itself where the body was too large. */
export function unread(): Response {
  return new Response(null, { status: 400 });
}
