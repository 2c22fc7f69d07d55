// PagerDuty's own library for JavaScript: an alert opened, answered and closed, and a change.
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { acknowledge, change, resolve, trigger } = require("@pagerduty/pdjs");
const [base, key] = process.argv.slice(2);
const server = new URL(base).host;

const payload = { summary: "db-06 does not answer", source: "db-06", severity: "error", custom_details: { 机房: "bj-1" } };
const made = await trigger({ server, data: { routing_key: key, payload } });
if (made.response.status !== 202 || made.data.status !== "success") throw new Error(JSON.stringify(made.data));
const dedup_key = made.data.dedup_key;
for (const act of [acknowledge, resolve]) {
  const done = await act({ server, data: { routing_key: key, dedup_key } });
  if (done.data.dedup_key !== dedup_key) throw new Error(JSON.stringify(done.data));
}
const told = await change({
  server,
  data: { routing_key: key, payload: { summary: "release 2.1", timestamp: "2026-11-20T19:10:00Z", source: "ci" } },
});
if (told.response.status !== 202) throw new Error(JSON.stringify(told.data));
const refused = await trigger({ server, data: { routing_key: key, payload: { source: "db-06", severity: "error" } } });
console.log(JSON.stringify({
  key: dedup_key, refused: JSON.stringify(refused.data), version: require("@pagerduty/pdjs/package.json").version,
}));
