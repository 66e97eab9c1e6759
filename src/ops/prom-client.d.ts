// The parts of prom-client that we load by path: its index also loads node:cluster, node:https and a t-digest, which
// makes it cost a start four times as much.

declare module "prom-client/lib/counter.js" {
  import { Counter } from "prom-client";
  export = Counter;
}

declare module "prom-client/lib/gauge.js" {
  import { Gauge } from "prom-client";
  export = Gauge;
}

declare module "prom-client/lib/histogram.js" {
  import { Histogram } from "prom-client";
  export = Histogram;
}

declare module "prom-client/lib/registry.js" {
  import { Registry } from "prom-client";
  export = Registry;
}
