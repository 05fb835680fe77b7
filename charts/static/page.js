/**
 * The live page of a world: what it does, as it does it, and how to break it.
 *
 * Events come once a second from the server, which sends the same to everyone. After a restart of
 * the server, or a pause of this tab, it begins again with the last minutes. Texts that come from a
 * scenario, a rule or a label are shown as text, never as markup.
 */

import { AlertPanel } from "./alert_panel.js";
import { element } from "./elements.js";
import { FaultPanel } from "./fault_panel.js";
import { field } from "./fields.js";
import { addMoment, LiveView, withActiveLanes } from "./live_view.js";
import { LoadPanel, ScenarioPanel } from "./plan_panel.js";
import { call, keepToken, readToken } from "./world_api.js";

/** @typedef {import("./live_view.js").Moment} Moment */

const AGAIN_MS = 2000;
const SILENT_MS = 10_000;
const LOST = "the server does not answer, trying again …";
const LOST_MS = 3000; // a stream ends now and then and is opened again at once: that is no loss
const TILES = ["Running for", "Load profile", "Load after faults", "Tasks waiting", "Agents active", "Behind real time", "Scrapes"];

// What is pressed in a row stands above all that grows: else it would move from under the pointer.
const PANELS = ["scenario-panel", "alerts", "fault-panel", "load-panel"];

/** The whole page; there is one. */
class LivePage {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.state = element("p", "state", "connecting …");
    this.state.setAttribute("role", "status");
    this.links = element("nav", "links");
    this.links.setAttribute("aria-label", "Servers around the world");
    this.tiles = element("dl", "tiles");
    this.charts = element("section", "charts");
    this.charts.setAttribute("aria-label", "The last minutes");
    const side = element("div", "side");
    const panels = PANELS.map((name) => element("section", name));
    const token = element("section", "token");
    this.tokenField = token;
    side.append(token, ...panels);
    this.host = host;
    this.side = side;
    this.lost_ms = 0;
    const columns = element("div", "columns");
    columns.append(this.charts, side);
    host.replaceChildren(this.state, this.links, this.tiles, columns);
    host.hidden = false;
    this.scenarios = new ScenarioPanel(panels[0]);
    this.alerts = new AlertPanel(panels[1]);
    this.faults = new FaultPanel(panels[2]);
    this.load = new LoadPanel(panels[3]);
    /** @type {LiveView|undefined} */
    this.view = undefined;
    /** @type {import("./axis.js").Chart|undefined} */
    this.chart = undefined;
    this.run = "";
    /** @type {EventSource|undefined} */
    this.source = undefined;
    this.heard_ms = 0;
    document.addEventListener("visibilitychange", () => this.attend());
    setInterval(() => this.watch(), AGAIN_MS);
    this.connect();
  }

  /** Whoever does not look on costs nothing: a hidden tab has no stream. */
  attend() {
    if (document.hidden) this.disconnect();
    else if (!this.source) this.connect();
  }

  /** Begin again when the stream has ended for good, or is silent as after a sleep. */
  watch() {
    this.showLoss();
    const silent = performance.now() - this.heard_ms > SILENT_MS;
    if (!document.hidden && (!this.source || this.source.readyState === EventSource.CLOSED || silent)) {
      this.disconnect();
      this.connect();
    }
  }

  /** End the stream. */
  disconnect() {
    this.source?.close();
    this.source = undefined;
  }

  /** Open a stream; when it is there, read the last minutes. */
  connect() {
    this.heard_ms = performance.now();
    const source = new EventSource("api/v1/stream");
    this.source = source;
    /** @type {Moment[]|undefined} */
    let waiting = [];
    source.addEventListener("open", async () => {
      waiting = [];
      if (!(await this.begin())) return;
      for (const moment of waiting ?? []) this.show(moment);
      waiting = undefined;
    });
    source.addEventListener("moment", (event) => {
      this.heard_ms = performance.now();
      const moment = JSON.parse(event.data);
      if (waiting) waiting.push(moment);
      else this.show(moment);
    });
    source.addEventListener("error", () => this.say("lost", LOST));
  }

  /**
   * Show the last minutes; return whether the server sent them.
   * @returns {Promise<boolean>}
   */
  async begin() {
    try {
      const recent = await call("GET", "chart");
      this.chart = recent.chart;
      if (recent.run !== this.run) {
        this.run = recent.run;
        await Promise.all([this.faults.load(), this.scenarios.load()]);
        this.view?.destroy();
        this.view = undefined;
      }
      this.showServers(recent);
      this.draw();
      this.show(recent.now);
      return true;
    } catch (error) {
      this.say("lost", String(error instanceof Error ? error.message : error));
      this.disconnect();
      return false;
    }
  }

  /** @param {any} recent */
  showServers(recent) {
    this.links.replaceChildren(
      ...Object.entries(recent.links).filter(([, url]) => /^https?:\/\//.test(url)).map(([name, url]) => {
        const link = /** @type {HTMLAnchorElement} */ (element("a", "", name));
        link.href = url;
        link.rel = "noreferrer";
        return link;
      }),
    );
    if (recent.compressed !== 1) this.links.append(element("span", "", `time compressed ${recent.compressed} times`));
    this.alerts.know(recent.conditions);
    this.askForToken(recent.token_needed);
  }

  /** @param {boolean} needed */
  askForToken(needed) {
    this.tokenField.hidden = !needed;
    if (!needed || this.tokenField.firstChild) return;
    const asked = field("token", { type: "password", value: readToken(), hint: "This server changes nothing without it." });
    asked.input.addEventListener("input", () => keepToken(asked.input.value.trim()));
    this.tokenField.append(asked);
  }

  /** @param {Moment} moment */
  show(moment) {
    if (!this.chart) return;
    this.seen = new Date();
    this.say("live", "live");
    addMoment(this.chart, moment);
    this.showFacts(new Map(moment.facts));
    this.alerts.show(moment);
    this.faults.show(moment);
    this.load.show(moment);
    this.scenarios.show(moment);
    this.draw();
  }

  /** @param {Map<string, string>} facts */
  showFacts(facts) {
    for (const line of document.querySelectorAll("#about tr")) {
      const value = facts.get(line.cells[0].textContent);
      if (value !== undefined) line.cells[1].textContent = value;
    }
    const shown = TILES.filter((name) => facts.has(name));
    this.tiles.replaceChildren(
      ...shown.map((name) => {
        const tile = element("div", "fact");
        tile.append(element("dt", "", name), element("dd", "", facts.get(name)));
        return tile;
      }),
    );
  }

  /** Draw the chart as it is now; without the library there are the facts alone. */
  draw() {
    if (!this.chart || typeof uPlot === "undefined") return;
    const chart = withActiveLanes(this.chart);
    if (this.view) this.view.update(chart);
    else this.view = new LiveView(this.charts, chart);
  }

  /**
   * @param {string} kind
   * @param {string} text
   */
  say(kind, text) {
    if (this.state.dataset.kind === kind && this.state.textContent?.startsWith(text)) return;
    if (kind === "lost" && this.state.dataset.kind !== "lost") this.lost_ms = performance.now();
    this.state.dataset.kind = kind;
    this.state.textContent = text;
    if (kind === "live") this.showLoss();
  }

  /** What is shown of a server that is gone is old: it is paler, and nothing of it can be used. */
  showLoss() {
    const gone = this.state.dataset.kind === "lost" && performance.now() - this.lost_ms > LOST_MS;
    if (gone === this.host.classList.contains("gone")) return;
    this.host.classList.toggle("gone", gone);
    this.side.inert = gone;
    if (gone && this.seen) this.state.textContent += ` What is shown is of ${this.seen.toLocaleTimeString("en-GB")}.`;
  }
}

const host = document.getElementById("live");
if (host) globalThis.livePage = new LivePage(host);
