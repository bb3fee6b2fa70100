-- Older releases work with this.
-- Views for analysts, whose names and columns are a promise, whatever becomes of the tables below them; and a sentence
-- on every table and column. `killreport db analyst` makes a role that reads the views and nothing else.

-- Only where it is missing: whoever may not make schemas can have it made for them.
do $$ begin
    if to_regnamespace('analysis') is null then
        create schema analysis;
    end if;
end $$;

create view analysis.killmails as
select k.killmail_id, encode(k.hash, 'hex') as killmail_hash, k.killmail_time as killed_at, k.stored_at,
       k.solar_system_id, s.name as solar_system_name, s.security_status,
       k.constellation_id, c.name as constellation_name, k.region_id, r.name as region_name,
       k.victim_character_id, vp.name as victim_character_name,
       k.victim_corporation_id, coalesce(vc.name, vn.name) as victim_corporation_name,
       k.victim_alliance_id, va.name as victim_alliance_name,
       k.victim_faction_id, vf.name as victim_faction_name,
       k.ship_type_id, t.name as ship_type_name, k.ship_group_id, g.name as ship_group_name,
       k.final_blow_character_id, fp.name as final_blow_character_name,
       k.final_blow_corporation_id, coalesce(fc.name, fn.name) as final_blow_corporation_name,
       k.final_blow_alliance_id, fa.name as final_blow_alliance_name,
       k.final_blow_ship_type_id, ft.name as final_blow_ship_type_name,
       k.damage_taken, k.attacker_count, k.player_count as player_attacker_count,
       (k.total_value_cents::numeric / 100)::numeric(20, 2) as total_isk,
       (k.destroyed_value_cents::numeric / 100)::numeric(20, 2) as destroyed_isk,
       (k.dropped_value_cents::numeric / 100)::numeric(20, 2) as dropped_isk,
       (k.fitted_value_cents::numeric / 100)::numeric(20, 2) as fitted_isk,
       k.is_value_complete, k.points, k.is_solo, k.is_npc, k.is_awox, k.labels,
       k.war_id, k.moon_id, k.location_id, k.position_x, k.position_y, k.position_z
from killmail k
left join eve_system s on s.solar_system_id = k.solar_system_id
left join eve_constellation c on c.constellation_id = k.constellation_id
left join eve_region r on r.region_id = k.region_id
left join eve_type t on t.type_id = k.ship_type_id
left join eve_group g on g.group_id = k.ship_group_id
left join character vp on vp.character_id = k.victim_character_id
left join corporation vc on vc.corporation_id = k.victim_corporation_id
left join eve_corporation vn on vn.corporation_id = k.victim_corporation_id
left join alliance va on va.alliance_id = k.victim_alliance_id
left join eve_faction vf on vf.faction_id = k.victim_faction_id
left join character fp on fp.character_id = k.final_blow_character_id
left join corporation fc on fc.corporation_id = k.final_blow_corporation_id
left join eve_corporation fn on fn.corporation_id = k.final_blow_corporation_id
left join alliance fa on fa.alliance_id = k.final_blow_alliance_id
left join eve_type ft on ft.type_id = k.final_blow_ship_type_id;

create view analysis.attackers as
select a.killmail_id, a.ordinal, k.killmail_time as killed_at,
       a.character_id, p.name as character_name,
       a.corporation_id, coalesce(c.name, n.name) as corporation_name,
       a.alliance_id, l.name as alliance_name,
       a.faction_id, f.name as faction_name,
       a.ship_type_id, t.name as ship_type_name, a.weapon_type_id, w.name as weapon_type_name,
       a.damage_done, a.is_final_blow, a.security_status
from attacker a
join killmail k on k.killmail_id = a.killmail_id
left join character p on p.character_id = a.character_id
left join corporation c on c.corporation_id = a.corporation_id
left join eve_corporation n on n.corporation_id = a.corporation_id
left join alliance l on l.alliance_id = a.alliance_id
left join eve_faction f on f.faction_id = a.faction_id
left join eve_type t on t.type_id = a.ship_type_id
left join eve_type w on w.type_id = a.weapon_type_id;

create view analysis.items as
select i.killmail_id, i.ordinal, i.parent_ordinal, k.killmail_time as killed_at,
       i.type_id, t.name as type_name, t.group_id, g.name as group_name, t.category_id, y.name as category_name,
       i.flag,
       case when i.flag between 11 and 18 then 'low' when i.flag between 19 and 26 then 'mid'
            when i.flag between 27 and 34 then 'high' when i.flag between 92 and 99 then 'rig'
            when i.flag between 125 and 132 then 'subsystem' when i.flag between 164 and 171 then 'service'
            when i.flag = 5 then 'cargo' when i.flag = 87 then 'drone bay' end as slot,
       coalesce(i.quantity_dropped, 0) as quantity_dropped, coalesce(i.quantity_destroyed, 0) as quantity_destroyed,
       i.singleton,
       -- 99 is killreport.market.price.PriceRule.UNKNOWN.
       case when i.price_rule <> 99 then (i.unit_price_cents::numeric / 100)::numeric(20, 2) end as unit_price_isk
from item i
join killmail k on k.killmail_id = i.killmail_id
left join eve_type t on t.type_id = i.type_id
left join eve_group g on g.group_id = t.group_id
left join eve_category y on y.category_id = t.category_id;

create view analysis.prices as
select d.type_id, t.name as type_name, d.day, (d.average_cents::numeric / 100)::numeric(20, 2) as average_isk, d.source
from price_day d left join eve_type t on t.type_id = d.type_id;

comment on schema analysis is 'For analysts: names and columns here stay, whatever becomes of the tables below them.';

do $comments$
declare
    said record;
begin
    -- Of a relation: the column is null. Of a column: the relation's own sentence, or that of every other (`*`).
    create temporary table sentence (relation text, col text, words text) on commit drop;
    insert into sentence values
    ('analysis.killmails', null, 'One row a killmail, with the names of whom and what it names as they are now.'),
    ('analysis.attackers', null, 'One row an attacker of a killmail, NPCs among them, in ESI''s order.'),
    ('analysis.items', null, 'One row an item line of a killmail; containers come before what lies in them.'),
    ('analysis.prices', null, 'One row a type and market day: what it was traded at on average.'),
    ('analysis.*', 'killed_at', 'When the ship died, as ESI says.'),
    ('analysis.*', 'killmail_hash', 'The 40 hexadecimal digits that ESI wants beside the id.'),
    ('analysis.*', 'solar_system_name', 'Name of the solar system.'),
    ('analysis.killmails', 'security_status', 'Security status of the solar system, unrounded, -1 to 1.'),
    ('analysis.*', 'constellation_name', 'Name of the constellation.'),
    ('analysis.*', 'region_name', 'Name of the region.'),
    ('analysis.*', 'victim_character_name', 'Name of the pilot that lost the ship; null while it is not known.'),
    ('analysis.*', 'victim_corporation_name', 'Name of the victim''s corporation.'),
    ('analysis.*', 'victim_alliance_name', 'Name of the victim''s alliance.'),
    ('analysis.*', 'victim_faction_name', 'Name of the victim''s faction.'),
    ('analysis.*', 'ship_type_name', 'Name of the ship''s type.'),
    ('analysis.*', 'ship_group_name', 'Name of the ship''s group, such as Frigate.'),
    ('analysis.*', 'final_blow_character_name', 'Name of the pilot that struck the final blow.'),
    ('analysis.*', 'final_blow_corporation_name', 'Name of the corporation that struck the final blow.'),
    ('analysis.*', 'final_blow_alliance_name', 'Name of the alliance that struck the final blow.'),
    ('analysis.*', 'final_blow_ship_type_name', 'Name of the ship that struck the final blow.'),
    ('analysis.*', 'player_attacker_count', 'How many attackers were players.'),
    ('analysis.*', 'total_isk', 'What the ship and all in it were worth on that day, in ISK.'),
    ('analysis.*', 'destroyed_isk', 'What was destroyed of it, the hull among it, in ISK.'),
    ('analysis.*', 'dropped_isk', 'What dropped of it, in ISK.'),
    ('analysis.*', 'fitted_isk', 'What was fitted, the hull among it, in ISK.'),
    ('analysis.*', 'character_name', 'Name of the pilot; null while it is not known, and for NPCs.'),
    ('analysis.*', 'corporation_name', 'Name of the corporation.'),
    ('analysis.*', 'alliance_name', 'Name of the alliance.'),
    ('analysis.*', 'faction_name', 'Name of the faction.'),
    ('analysis.*', 'weapon_type_name', 'Name of the type that the attacker shot with.'),
    ('analysis.*', 'type_name', 'Name of the type.'),
    ('analysis.*', 'group_name', 'Name of the type''s group.'),
    ('analysis.*', 'category_name', 'Name of the type''s category, such as Module.'),
    ('analysis.*', 'slot', 'high, mid, low, rig, subsystem, service, cargo or drone bay; null for other places.'),
    ('analysis.*', 'unit_price_isk', 'What one of it was worth on that day, in ISK; null where no price is known.'),
    ('analysis.*', 'average_isk', 'The day''s average, in ISK.'),
    ('analysis.*', 'quantity_dropped', 'How many of it dropped; 0 where none did.'),
    ('analysis.*', 'quantity_destroyed', 'How many of it were destroyed; 0 where none were.'),

    ('activity_stat', null, 'When somebody is about: kills and losses by hour of the week, over all time.'),
    ('activity_stat', 'slot', 'Hour of the week in UTC, 0 to 167 from Monday 00:00.'),
    ('affiliation', null, 'Where a character or corporation belonged: one row a period, the present one without an end.'),
    ('affiliation', 'since', 'When the period began.'),
    ('affiliation', 'until', 'When it ended; null for the present one.'),
    ('alliance', null, 'What ESI tells of an alliance, and its counts.'),
    ('alliance_snapshot', null, 'An alliance as it was on a day.'),
    ('attacker', null, 'One row an attacker of a killmail.'),
    ('attacker', 'security_status', 'Security status of the pilot, -10 to 5.'),
    ('character', null, 'What ESI tells of a character.'),
    ('character_history', null, 'How far the reading of a character''s own list of killmails has come.'),
    ('character_history', 'page', 'The page to read next.'),
    ('character_history', 'finished_at', 'When the last page was read.'),
    ('corporation', null, 'What ESI tells of a corporation.'),
    ('corporation_snapshot', null, 'A corporation as it was on a day.'),
    ('daily_stat', null, 'Sums of an entity and UTC day, written with the killmail.'),
    ('daily_total', null, 'Sums of all killmails of a UTC day.'),
    ('dead_letter', null, 'Messages that were given up.'),
    ('esi_budget', null, 'The shared pace at which ESI is asked.'),
    ('esi_cache', null, 'Answers of ESI that have not expired.'),
    ('esi_pause', null, 'Until when ESI, or a group of its routes, is not asked.'),
    ('esi_pause', 'until', 'When it may be asked again.'),
    ('esi_route', null, 'Which rate limit group each route of ESI was found in.'),
    ('esi_witness', null, 'What ESI answered lately of each route: asked again when the route answers 404.'),
    ('eve_category', null, 'Categories of the static data.'),
    ('eve_constellation', null, 'Constellations of the static data.'),
    ('eve_corporation', null, 'NPC corporations of the static data.'),
    ('eve_faction', null, 'Factions of the static data.'),
    ('eve_group', null, 'Groups of the static data.'),
    ('eve_market_group', null, 'Groups of the market.'),
    ('eve_meta_group', null, 'Meta groups, such as Tech II.'),
    ('eve_region', null, 'Regions of the static data.'),
    ('eve_system', null, 'Solar systems of the static data.'),
    ('eve_system', 'security_status', 'Security status of the system, unrounded, -1 to 1.'),
    ('eve_type', null, 'Types of the static data: hulls, modules, everything that can be in a killmail.'),
    ('eve_type', 'slot', 'Which slot it is fitted in; null for what is not fitted.'),
    ('event', null, 'What subscribers and feeds read, in order.'),
    ('event', 'kind', 'What happened to the killmails.'),
    ('feed_cursor', null, 'Where each reader of a sequence stands.'),
    ('feed_gap', null, 'Numbers of a feed that were passed and are tried again.'),
    ('heartbeat', null, 'What each running process did last.'),
    ('item', null, 'One row an item line of a killmail.'),
    ('job_run', null, 'One row a run of a scheduled job.'),
    ('killed_by', null, 'One row for a killmail and everything on its killing side, for lists.'),
    ('killmail', null, 'One wide row a killmail.'),
    ('killmail_gate', null, 'Ids that are stored or were removed: whoever inserts one owns the killmail.'),
    ('killmail_sync', null, 'How far the killmails of a player''s account were read.'),
    ('place_dearest', null, 'The most valuable killmails of a place.'),
    ('place_head', null, 'The heads of the rankings of a place, over all time.'),
    ('place_run', null, 'When the rankings of a place were counted.'),
    ('price_day', null, 'The average at which a type was traded on a UTC day.'),
    ('price_load', null, 'Which market days were loaded.'),
    ('price_reference', null, 'What a type is worth where no market day is stored.'),
    ('price_version', null, 'Counts the writes to prices, so that processes know what they remember is old.'),
    ('published_total', null, 'How many killmails zKillboard says a day has.'),
    ('quarantine', null, 'Input that could not be stored, whole, with the reason.'),
    ('quarantine_dropped', null, 'How much left the quarantine because it was full.'),
    ('queue_consumer', null, 'Who takes messages, where no RabbitMQ is configured.'),
    ('queue_message', null, 'Messages that wait, where no RabbitMQ is configured.'),
    ('queue_message', 'losses', 'How often whoever had it was lost.'),
    ('ranking', null, 'The heads of rankings whose windows are long.'),
    ('ranking_run', null, 'When the rankings of a window were counted.'),
    ('refresh_ledger', null, 'Entities that were named and are still to be asked for.'),
    ('removed_killmail', null, 'Killmails that were taken out by hand.'),
    ('request_turn', null, 'When a host may be asked again.'),
    ('schema_migration', null, 'Which migrations were applied.'),
    ('schema_migration', 'version', 'The migration''s number.'),
    ('static_data', null, 'Which static data of CCP''s is loaded.'),
    ('system_stat', null, 'Who did what where: sums of an entity, solar system and UTC day.'),
    ('total_stat', null, 'Sums of an entity over all time.'),
    ('type_detail', null, 'What only ESI tells of a type.'),
    ('unsettled_number', null, 'The numbers of the last days, whose packages may still be named as rewritten.'),
    ('value_change', null, 'What a killmail was worth before it was valued again.'),
    ('value_due', null, 'Days whose killmails are to be valued again.'),
    ('value_due', 'since', 'Since when it is due.'),

    ('*', 'account_id', 'The player''s account.'),
    ('*', 'alliance_id', 'The alliance at that time; null without one.'),
    ('*', 'applied_at', 'When it was applied.'),
    ('*', 'answered_at', 'When it was answered.'),
    ('*', 'ask_again_at', 'When one that is gone is asked for again; null: at once.'),
    ('*', 'at', 'When.'),
    ('*', 'attached_at', 'When it began.'),
    ('*', 'attacker_count', 'How many attackers there are, NPCs among them.'),
    ('*', 'attempt', 'Which attempt it is.'),
    ('*', 'attempts', 'How often it was tried.'),
    ('*', 'average_cents', 'The average in hundredths of an ISK.'),
    ('*', 'base_price', 'CCP''s base price, in ISK.'),
    ('*', 'birthday', 'When the character was made.'),
    ('*', 'body', 'The whole text, as it came.'),
    ('*', 'body_sha256', 'SHA-256 of the body.'),
    ('*', 'build_number', 'CCP''s build number.'),
    ('*', 'bytes', 'How many bytes.'),
    ('*', 'capacity', 'Room inside, in cubic metres.'),
    ('*', 'category_id', 'The category.'),
    ('*', 'cents', 'In hundredths of an ISK.'),
    ('*', 'ceo_id', 'The character that leads the corporation.'),
    ('*', 'change_id', 'A number of its own.'),
    ('*', 'changed_at', 'When it changed.'),
    ('*', 'character_id', 'The character.'),
    ('*', 'checksum', 'SHA-256 of the file.'),
    ('*', 'code', 'The entity''s id and kind in one number.'),
    ('*', 'compared_at', 'When it was compared.'),
    ('*', 'constellation_id', 'The constellation.'),
    ('*', 'consumer_id', 'A number of its own.'),
    ('*', 'corporation_count', 'How many corporations it has.'),
    ('*', 'corporation_id', 'The corporation, at that time where it is of a killmail.'),
    ('*', 'counted_at', 'When it was counted.'),
    ('*', 'counts', 'What the run counted.'),
    ('*', 'creator_corporation_id', 'The corporation that founded it.'),
    ('*', 'creator_id', 'The character that founded it.'),
    ('*', 'damage_done', 'Damage that the attacker did.'),
    ('*', 'damage_taken', 'Damage that the victim took.'),
    ('*', 'date_founded', 'When it was founded.'),
    ('*', 'day', 'The UTC day.'),
    ('*', 'description', 'The text that players or CCP wrote.'),
    ('*', 'destroyed_value_cents', 'What was destroyed, the hull among it, in hundredths of an ISK.'),
    ('*', 'died_at', 'When it was given up.'),
    ('*', 'dropped_value_cents', 'What dropped, in hundredths of an ISK.'),
    ('*', 'ended_at', 'When it ended; null while it runs.'),
    ('*', 'endpoint', 'What is asked.'),
    ('*', 'entity_id', 'The entity''s id.'),
    ('*', 'entity_kind', 'What the entity is: killreport.entity.kind.EntityKind.'),
    ('*', 'entries', 'How many entries.'),
    ('*', 'error', 'What went wrong; null where nothing did.'),
    ('*', 'etag', 'ESI''s tag of the answer.'),
    ('*', 'event_id', 'A number of its own, in the order of commits.'),
    ('*', 'executor_corporation_id', 'The corporation that leads the alliance.'),
    ('*', 'expires_at', 'When it expires.'),
    ('*', 'faction_id', 'The faction; null without one.'),
    ('*', 'failed', 'How many failed since the process started.'),
    ('*', 'feed', 'Which feed or file.'),
    ('*', 'final_blow_alliance_id', 'The alliance of who struck the final blow.'),
    ('*', 'final_blow_character_id', 'The character that struck the final blow; null for NPCs.'),
    ('*', 'final_blow_corporation_id', 'The corporation of who struck the final blow.'),
    ('*', 'final_blow_faction_id', 'The faction of who struck the final blow.'),
    ('*', 'final_blow_ship_type_id', 'The ship of who struck the final blow.'),
    ('*', 'final_blow_weapon_type_id', 'What the final blow was struck with.'),
    ('*', 'final_blows', 'How many final blows.'),
    ('*', 'first_day', 'The first day of the window.'),
    ('*', 'first_sequence', 'The number in the feed of R2Z2''s shape that its first killmail has; null where it has none.'),
    ('*', 'fitted_value_cents', 'What was fitted, the hull among it, in hundredths of an ISK.'),
    ('*', 'flag', 'Where it was: CCP''s number of the inventory flag.'),
    ('*', 'free_at', 'When the next may ask.'),
    ('*', 'gender', 'The character''s gender.'),
    ('*', 'gone_at', 'When ESI said that there is no such entity; null for those that are there.'),
    ('*', 'group_id', 'The type''s group.'),
    ('*', 'handled', 'How many were handled since the process started.'),
    ('*', 'hash', 'The 20 bytes of ESI''s hash.'),
    ('*', 'high_slots', 'How many high slots the hull has.'),
    ('*', 'home_station_id', 'The corporation''s home station.'),
    ('*', 'instance', 'Which of several of the process.'),
    ('*', 'first_place', 'The number in the feed of everything that its first killmail has.'),
    ('*', 'is_awox', 'Whether the final blow came from the victim''s own corporation.'),
    ('*', 'is_compatible', 'Whether older releases work with it.'),
    ('*', 'is_final_blow', 'Whether this attacker struck the final blow.'),
    ('*', 'is_history', 'Brought in when it was old, and not by a feed: told to nobody as news.'),
    ('*', 'is_npc', 'Whether NPCs alone killed, or an NPC died.'),
    ('*', 'is_only', 'Keeps the table to one row.'),
    ('*', 'is_overheatable', 'Whether the module can be overheated.'),
    ('*', 'is_published', 'Whether CCP shows it to players.'),
    ('*', 'is_rewritten', 'Whether the package changed since it was published.'),
    ('*', 'is_solo', 'Whether one player alone killed.'),
    ('*', 'is_value_complete', 'False where the price of the hull or of an item is not known: sums are then what the rest was worth.'),
    ('*', 'is_war_eligible', 'Whether war can be declared on it.'),
    ('*', 'isk_destroyed_cents', 'Worth of the kills, in hundredths of an ISK.'),
    ('*', 'isk_lost_cents', 'Worth of the losses, in hundredths of an ISK.'),
    ('*', 'job', 'The job''s name.'),
    ('*', 'key', 'What was asked.'),
    ('*', 'killmail_id', 'The killmail, by ESI''s number.'),
    ('*', 'killmail_ids', 'The killmails it is about.'),
    ('*', 'killmail_time', 'When the ship died, as ESI says.'),
    ('*', 'killmails', 'How many killmails.'),
    ('*', 'kills', 'How many kills.'),
    ('*', 'labels', 'Labels such as cat:6, solo and isk:1b+.'),
    ('*', 'last_at', 'When it last happened.'),
    ('*', 'last_day', 'The last day that is counted.'),
    ('*', 'last_error', 'What went wrong last.'),
    ('*', 'last_error_at', 'When that was.'),
    ('*', 'last_killmail_sync_at', 'When it was last read.'),
    ('*', 'last_success_at', 'When something last went well.'),
    ('*', 'leased_by', 'Which consumer has it now; null while it waits.'),
    ('*', 'letter_id', 'A number of its own.'),
    ('*', 'loaded_at', 'When it was loaded.'),
    ('*', 'location_id', 'The celestial or structure nearest to the wreck; null where it is not known.'),
    ('*', 'losses', 'How many losses.'),
    ('*', 'low_slots', 'How many low slots the hull has.'),
    ('*', 'market_group_id', 'The group of the market; null for what is not sold there.'),
    ('*', 'mass', 'In kilograms.'),
    ('*', 'member_count', 'How many members it has.'),
    ('*', 'message_id', 'A number of its own.'),
    ('*', 'meta_group_id', 'The meta group.'),
    ('*', 'meta_level', 'The meta level.'),
    ('*', 'metric', 'What is ranked by.'),
    ('*', 'mid_slots', 'How many mid slots the hull has.'),
    ('*', 'militia_corporation_id', 'The corporation of the faction''s militia.'),
    ('*', 'misses', 'How many answers in a row were 404.'),
    ('*', 'modified', 'ESI''s Last-Modified of the answer.'),
    ('*', 'moon_id', 'The moon that ESI names; on old killmails only.'),
    ('*', 'name', 'The name; null while it is not known.'),
    ('*', 'new_cents', 'What it is worth since then, in hundredths of an ISK.'),
    ('*', 'newest_killmail_id', 'The newest killmail that was read.'),
    ('*', 'next_sequence', 'The number to read next.'),
    ('*', 'noted_at', 'When it was noted.'),
    ('*', 'npc_isk_lost_cents', 'Of the losses to NPCs, their worth in hundredths of an ISK.'),
    ('*', 'npc_losses', 'Of the losses, those to NPCs.'),
    ('*', 'old_cents', 'What it was worth before, in hundredths of an ISK.'),
    ('*', 'ordinal', 'Its place in ESI''s list, from 0.'),
    ('*', 'pages', 'How many pages the answer has.'),
    ('*', 'parent_market_group_id', 'The market group above it.'),
    ('*', 'parent_ordinal', 'The ordinal of the container it lay in; null outside of any.'),
    ('*', 'path', 'Where in the body it is wrong.'),
    ('*', 'per_second', 'How many a second, of late.'),
    ('*', 'place', 'The place in the ranking, from 1.'),
    ('*', 'place_id', 'The place''s id.'),
    ('*', 'place_kind', 'What the place is: killreport.entity.kind.EntityKind.'),
    ('*', 'player_count', 'How many attackers were players.'),
    ('*', 'points', 'How hard the kill was.'),
    ('*', 'points_lost', 'Points of the losses.'),
    ('*', 'points_won', 'Points of the kills.'),
    ('*', 'position_x', 'Where the ship died, in metres from the system''s star.'),
    ('*', 'position_y', 'Where the ship died, in metres from the system''s star.'),
    ('*', 'position_z', 'Where the ship died, in metres from the system''s star.'),
    ('*', 'price_rule', 'Which rule gave the price: killreport.market.price.PriceRule; 99 where no price is known.'),
    ('*', 'priority', 'The higher, the sooner.'),
    ('*', 'process', 'The process''s name.'),
    ('*', 'published_at', 'When it was published.'),
    ('*', 'quantity_destroyed', 'How many of it were destroyed; null where none were.'),
    ('*', 'quantity_dropped', 'How many of it dropped; null where none did.'),
    ('*', 'quarantine_id', 'A number of its own.'),
    ('*', 'question', 'JSON: path, query and body of what was asked.'),
    ('*', 'queue', 'The queue''s name.'),
    ('*', 'queued_at', 'When it was handed to a queue; null while it was not.'),
    ('*', 'rate_group', 'The rate limit group.'),
    ('*', 'ready_at', 'When it may be taken.'),
    ('*', 'reason', 'Why.'),
    ('*', 'reference', 'Where it came from, exactly.'),
    ('*', 'refreshed_at', 'When ESI was last asked; null before that.'),
    ('*', 'region_id', 'The region.'),
    ('*', 'released_at', 'When CCP released it.'),
    ('*', 'removed_at', 'When it was removed.'),
    ('*', 'report', 'The line that the run ended with.'),
    ('*', 'rewritten', 'Beside each killmail the older number that its package names as rewritten; null: none.'),
    ('*', 'rig_size', 'The size of rigs that fit.'),
    ('*', 'rig_slots', 'How many rig slots the hull has.'),
    ('*', 'route', 'ESI''s route.'),
    ('*', 'rule', 'Which rule the price stands for: killreport.market.price.PriceRule.'),
    ('*', 'run_id', 'A number of its own.'),
    ('*', 'scope', 'What is paused.'),
    ('*', 'security_status', 'Security status of the pilot, -10 to 5; null where ESI does not tell.'),
    ('*', 'seen_at', 'When it was last seen.'),
    ('*', 'sequence', 'The number.'),
    ('*', 'ship_group_id', 'The group of the ship that was lost.'),
    ('*', 'ship_price_rule', 'Which rule gave the hull''s price: killreport.market.price.PriceRule; 99 where none is known.'),
    ('*', 'ship_type_id', 'The type of the ship.'),
    ('*', 'ship_value_cents', 'What the hull was worth, in hundredths of an ISK.'),
    ('*', 'singleton', '2 for a blueprint copy; 1 for what was unpacked, 0 for the rest.'),
    ('*', 'solar_system_id', 'The solar system.'),
    ('*', 'solo_kills', 'Of the kills, those by one player alone.'),
    ('*', 'solo_losses', 'Of the losses, those to one player alone.'),
    ('*', 'source', 'Who said so, or where it came from.'),
    ('*', 'started_at', 'When it started.'),
    ('*', 'status', 'How it went.'),
    ('*', 'stored_at', 'When it was stored here.'),
    ('*', 'tax_rate', 'The corporation''s tax, 0 to 1.'),
    ('*', 'ticker', 'The ticker.'),
    ('*', 'time_window', 'Which window is ranked.'),
    ('*', 'title', 'The character''s title.'),
    ('*', 'total_value_cents', 'What the ship and all in it were worth, in hundredths of an ISK.'),
    ('*', 'tried_at', 'When it was last tried; null before that.'),
    ('*', 'tries', 'How often it was tried.'),
    ('*', 'trigger', 'What started it.'),
    ('*', 'type_id', 'The type.'),
    ('*', 'types', 'How many types.'),
    ('*', 'unit_price_cents', 'What one of it was worth, in hundredths of an ISK.'),
    ('*', 'updated_at', 'When it last changed.'),
    ('*', 'url', 'The corporation''s web address.'),
    ('*', 'version', 'Grows with every write.'),
    ('*', 'victim_alliance_id', 'The victim''s alliance; null without one.'),
    ('*', 'victim_character_id', 'The pilot that lost the ship; null for NPCs and structures.'),
    ('*', 'victim_corporation_id', 'The victim''s corporation.'),
    ('*', 'victim_faction_id', 'The victim''s faction; null without one.'),
    ('*', 'volume', 'In cubic metres.'),
    ('*', 'waits_for', 'What the process waits for; null while it works.'),
    ('*', 'waits_since', 'Since when it waits.'),
    ('*', 'war_id', 'The war that it counted for; null without one.'),
    ('*', 'weapon_type_id', 'What the attacker shot with.'),
    ('*', 'wormhole_class_id', 'The class of wormhole space; null elsewhere.');

    for said in
        with relation as (
            select pg_class.oid, nspname,
                   case nspname when 'analysis' then 'analysis.' || relname else relname end as known_as,
                   case nspname when 'analysis' then 'analysis.*' else '*' end as others,
                   case relkind when 'v' then 'view' else 'table' end as kind
            from pg_class join pg_namespace on pg_namespace.oid = relnamespace
            where nspname in ('analysis', current_schema()) and relkind in ('r', 'p', 'v')
        )
        select format('comment on %s %s is %L', kind, oid::regclass, words) as statement
        from relation join sentence on relation = known_as and col is null
        union all
        select format('comment on column %s.%I is %L', oid::regclass, attname, coalesce(own.words, other.words, plain.words))
        from relation
        join pg_attribute on attrelid = oid and attnum > 0 and not attisdropped
        left join sentence own on own.relation = known_as and own.col = attname
        left join sentence other on other.relation = others and other.col = attname
        left join sentence plain on plain.relation = '*' and plain.col = attname
        where coalesce(own.words, other.words, plain.words) is not null
    loop
        execute said.statement;
    end loop;
end $comments$;
