import type { GridStore } from '#grids';
import { createFieldCache, newCacheUse } from '#pipeline/scores/field-cache';
import { rescoreLead, type RescoredLead } from '#pipeline/scores/score-inputs';
import type { RecordedLead } from '#reports/recorded-scores';
import { CategorizedError, type InputRole } from '#semconv';
import { messageOf } from '#semconv/message-of';
import { locationOfCycle } from '../run/cycle-location.ts';
import { openNamedStore } from '../run/stores.ts';
import { compareLead, unreadableLead, type VerifiedLead } from './compare-scores.ts';

/** Where the stores are; a role without one was not given. */
export type Locations = Readonly<Partial<Record<InputRole, string>>>;

/** Fields of one lead at a time are read, so that little is kept. */
const CACHE_BYTES = 2 ** 28;
const HOUR_MILLIS = 3_600_000;

/** Scores the leads again, one after the other; a store that cannot be read hides no lead of the others. */
export async function verifyLeads(
  leads: readonly RecordedLead[],
  locations: Locations,
): Promise<readonly VerifiedLead[]> {
  const open = createOpener(locations);
  const verified: VerifiedLead[] = [];
  for (const lead of leads) {
    try {
      verified.push(compareLead(lead, await rescore(lead, open)));
    } catch (error) {
      verified.push(unreadableLead(lead, messageOf(error)));
    }
  }
  return verified;
}

type OpenStore = (role: InputRole, lead: RecordedLead) => Promise<GridStore>;

/** Opens each location once. @throws CategorizedError for a store that was not named, naming its option */
function createOpener(locations: Locations): OpenStore {
  const opened = new Map<string, Promise<GridStore>>();
  return (role, lead) => {
    const option = `--${role}`;
    const location = locations[role];
    if (location === undefined) throw notNamed(role, lead);
    const initTime = new Date(Date.parse(lead.valid_time) - lead.lead_hours * HOUR_MILLIS);
    const place = locationOfCycle(location, initTime);
    const key = `${role} ${place}`;
    const store = opened.get(key) ?? openNamedStore(option, place);
    opened.set(key, store);
    return store;
  };
}

function notNamed(role: InputRole, { inputs }: RecordedLead): CategorizedError {
  const input = inputs.find((one) => one.role === role);
  const where =
    input === undefined ? '' : ` It was read from ${input.address ?? 'no address'} (${input.kind}).`;
  return new CategorizedError(
    'not_found',
    `The store of the ${role} was not named: give it by --${role}.${where}`,
  );
}

async function rescore(lead: RecordedLead, open: OpenStore): Promise<RescoredLead> {
  const roles: readonly InputRole[] = lead.inputs.map(({ role }) => role);
  // Leads of earlier versions have no inputs: what they were scored with follows from their kind.
  const isRead = (role: InputRole): boolean => roles.length === 0 || roles.includes(role);
  const truthRole = roles.includes('analysis') ? 'analysis' : 'truth';
  const named = async (role: InputRole) => ({ name: role, store: await open(role, lead) });
  const sources = {
    truth: await named(truthRole),
    climatology: isRead('climatology') ? await named('climatology') : null,
    reference: isRead('reference') ? await named('reference') : null,
    forecast: await open('forecast', lead),
    validTime: new Date(lead.valid_time),
    fields: createFieldCache(CACHE_BYTES),
    use: newCacheUse(),
  };
  return rescoreLead(lead.score_type, sources, truthRole);
}
