// Opsgenie's own library for JavaScript: each call that concerns an alert, and what came of it, asked for at once.
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const opsgenie = require("opsgenie-sdk");
const [base, key] = process.argv.slice(2);
opsgenie.configure({ host: base, api_key: key });

const ask = (name, ...given) =>
  new Promise((done, fail) => opsgenie.alertV2[name](...given, (error, answer) => (error ? fail(new Error(`${name}: ${JSON.stringify(error)}`)) : done(answer))));
const calls = [];
async function done(name, ...given) {
  const answer = await ask(name, ...given);
  if (answer.result !== "Request will be processed") throw new Error(JSON.stringify(answer));
  const { data } = await ask("getRequestStatus", answer.requestId);
  if (!data.isSuccess) throw new Error(`${name}: ${JSON.stringify(data)}`);
  calls.push(name);
}

// It puts an alias into the address as it is.
const by = { identifier: "db-05:disk", identifierType: "alias" };
await done("create", {
  message: "disk is full", alias: by.identifier, entity: "db-05", priority: "P1", tags: ["env:prod", "old"],
  details: { ip: "10.8.3.25", rack: "6" }, responders: [{ type: "team", name: "db" }],
});
for (const [name, data] of Object.entries({
  acknowledge: { user: "li", note: "mine" },
  unacknowledge: {},
  addNote: { note: "looking" },
  addTags: { tags: ["dc:bj-1"] },
  removeTags: { tags: "old" },
  addDetails: { details: { row: "7" } },
  removeDetails: { keys: "rack" },
  assign: { owner: { username: "li@example.org" } },
  escalateToNext: { escalation: { name: "db" } },
  addTeam: { team: { name: "net" } },
  executeAction: { action: "reboot" },
  snooze: { endTime: new Date(Date.now() + 3_600_000).toISOString() },
})) await done(name, by, data);
const { data: shown } = await ask("get", by);
// A query with a colon costs it its own authorization: it takes the value for an address.
const { data: listed } = await ask("list", { limit: 10 });
await done("close", by, { note: "fixed" });
const refused = await ask("create", { alias: "no message" }).catch((error) => (`${error}`.includes("422") ? 422 : `${error}`));
console.log(JSON.stringify({
  calls, refused, alias: listed.map((it) => it.alias), tags: shown.tags, status: shown.status, snoozed: shown.snoozed,
  details: shown.details, version: require("opsgenie-sdk/package.json").version,
}));
