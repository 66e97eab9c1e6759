// The examples for Compose and Kubernetes: that they run the image as it wants to be run, that their configuration is
// one, and that what they say of the gateway is so.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { parse, parseAllDocuments } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { fixture } from "../support/fixture.ts";
import { GatewayRun } from "../support/run-gateway.ts";

const packaging = join(import.meta.dir, "../../scripts/packaging");
const image = readFileSync(join(packaging, "docker/Dockerfile"), "utf8");
const VOLUME = /^VOLUME (.*)$/m.exec(image)?.[1] ?? "";
const USER = Number(/^USER (\d+):/m.exec(image)?.[1]);
const PORT = Number(/^EXPOSE (\d+)$/m.exec(image)?.[1]);
const CONFIG = "/etc/mcp-gateway/servers.yaml";

describe("docker compose", () => {
  const { services, volumes } = parse(readFileSync(join(packaging, "docker/compose.yaml"), "utf8"));
  const { gateway } = services;

  test("runs the image read-only, without rights, for this machine alone", () => {
    expect(gateway).toMatchObject({
      image: "ghcr.io/OWNER/mcp-gateway:2",
      ports: [`127.0.0.1:${PORT}:${PORT}`],
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
  });

  test("mounts the configuration and keeps the state", () => {
    expect(gateway.volumes).toEqual([`./servers.yaml:${CONFIG}:ro`, `state:${VOLUME}`]);
    expect(Object.keys(volumes)).toEqual(["state"]);
  });
});

describe("Kubernetes", () => {
  const documents = parseAllDocuments(readFileSync(join(packaging, "kubernetes/mcp-gateway.yaml"), "utf8"));
  const read = (kind: string) =>
    documents.map((document) => document.toJS()).find((found) => found.kind === kind);
  const { spec } = read("Deployment").spec.template;
  const [container] = spec.containers;

  test("is well-formed, and every part is of the same application", () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    const label = { "app.kubernetes.io/name": "mcp-gateway" };
    expect(read("Deployment").spec.selector.matchLabels).toEqual(label);
    expect(read("Deployment").spec.template.metadata.labels).toEqual(label);
    expect(read("Service").spec.selector).toEqual(label);
    expect(read("PodDisruptionBudget").spec.selector.matchLabels).toEqual(label);
  });

  test("runs the image's user, with nothing to write but what it mounts", () => {
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: USER, fsGroup: USER });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    const mounts = container.volumeMounts.map(({ name, mountPath }: Mount) => [name, mountPath]);
    expect(Object.fromEntries(mounts)).toEqual({ config: "/etc/mcp-gateway", state: VOLUME, tmp: "/tmp" });
    const names = spec.volumes.map(({ name }: Mount) => name);
    expect(names.toSorted()).toEqual(mounts.map(([name]: string[]) => name).toSorted());
    expect(spec.volumes.find(({ name }: Mount) => name === "config").configMap.name).toBe(
      read("ConfigMap").metadata.name,
    );
  });

  test("its probes ask for what the gateway serves, on the port that it has", () => {
    expect(container.ports).toEqual([{ name: "http", containerPort: PORT }]);
    for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) {
      expect(container[probe].httpGet).toEqual({ path: "/health", port: "http" });
    }
    expect(read("Service").spec.ports[0].targetPort).toBe("http");
  });

  test("its configuration is one, and takes its secrets from the environment that it names", () => {
    const env = Object.fromEntries(
      container.env.map(({ name }: Mount) => [name, `${name}-of-sixteen-or-more`]),
    );
    const config = loadConfig(parse(read("ConfigMap").data["servers.yaml"]), {}, { env });
    expect(config.auth).toMatchObject({
      token: "MCP_GATEWAY_TOKEN-of-sixteen-or-more",
      sessionKey: "MCP_GATEWAY_SESSION_KEY-of-sixteen-or-more",
    });
    expect(config.backends.map(({ problem }) => problem)).toEqual([undefined]);
  });

  test("a kubelet's probe, which has no token and another Host, is answered however ill a backend is", async () => {
    const [command, ...args] = fixture("exits-at-once");
    await using gateway = await GatewayRun.start({
      args: ["--host", "0.0.0.0"],
      config: { auth: { token: "kubernetes-token-1" }, backends: { ill: { command, args } } },
    });
    const ask = (path: string, headers: Record<string, string>) =>
      fetch(`${gateway.url}${path}`, { headers });
    const body = { jsonrpc: "2.0", id: 1, method: "initialize", params: INITIALIZE };
    await fetch(`${gateway.url}/mcp/ill`, {
      method: "POST",
      headers: {
        authorization: "Bearer kubernetes-token-1",
        "content-type": "application/json",
        accept: ACCEPT,
      },
      body: JSON.stringify(body),
    });
    const probe = await ask("/health", { host: "10.1.2.3:39400" });
    expect(probe.status).toBe(200);
    expect(Value.Parse(Health, await probe.json()).status).toBe("degraded");
    expect((await ask("/metrics", {})).status).toBe(401);
  });
});

const ACCEPT = "application/json, text/event-stream";
const INITIALIZE = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "test", version: "1" },
};

interface Mount {
  readonly name: string;
  readonly mountPath: string;
}

const Health = Type.Object({ status: Type.String() });
