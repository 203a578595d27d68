/** What a page says to `weir-beacon.js`; docs/beacon.md has what the script does. */
export interface WeirBeaconOptions {
  /** `https://beacon.example.com/v1/beacon/KEY`, with a key of the scope `beacon`. */
  url: string;
  /** Attributes of the page as a whole, `service.name` for one. */
  resource?: Record<string, string | number | boolean>;
  /** Whether the user has agreed. Left out: nobody knows yet, so events wait in memory and nothing leaves or is stored. */
  consent?: boolean;
  /** The share of sessions that send, 0.001 to 1; 1 by default. */
  sample?: number;
  /** Attributes whose texts are sent as they are, at most 256 characters; all others are hashed. */
  plain?: string[];
  /** Origins beside the page's own whose requests get a `traceparent`. */
  propagate?: string[];
  /** Milliseconds from the first event that waits to the request; 5000 by default. */
  interval?: number;
  /** Events that wait in memory at most; 200 by default. */
  maxQueue?: number;
  /** Requests of 20 events that wait in storage at most, the newest; 20 by default. */
  maxStored?: number;
}

export type WeirBeaconAttributes = Record<string, string | number | boolean>;

export interface WeirBeacon {
  /** Once for each page. */
  start(options: WeirBeaconOptions): void;
  event(name: string, attributes?: WeirBeaconAttributes): void;
  /** `performance.mark`. */
  mark(name: string): void;
  /** `performance.measure` since the mark of this name, and an event that lasts as long. */
  measure(name: string, attributes?: WeirBeaconAttributes): void;
  /** What the user has said. `false` forgets everything, here and in storage. */
  consent(given: boolean): void;
  /** Sends what waits. */
  flush(): void;
}

declare global {
  /** `window.weirBeacon`. */
  var weirBeacon: WeirBeacon;
}
