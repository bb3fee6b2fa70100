-- Older releases work with this.
-- How many fighters fly as one squadron, how many services a structure takes, and the slots a subsystem adds to its hull.
-- The importer reads them from CCP's dogma; what was imported before it did is filled in here, as of build 3650286.

alter table eve_type
    add column service_slots smallint,
    add column squadron_size smallint;

update eve_type set squadron_size = 3 where type_id in (
    37599, 40345, 40346, 40347, 40568, 40569, 40570, 40571, 47037, 47131, 47132, 47133, 47134, 47135, 47136,
    47137, 83591, 83592, 83593, 83594
);
update eve_type set squadron_size = 6 where type_id in (
    2948, 23055, 23057, 23059, 23061, 32325, 32340, 32342, 32344, 40362, 40363, 40364, 40365, 40556, 40557,
    40558, 40559, 40560, 40561, 40562, 40563, 40564, 40565, 40566, 40567, 45673, 45675, 47038, 47039, 47116,
    47117, 47118, 47119, 47120, 47121, 47122, 47123, 47124, 47125, 47126, 47127, 47128, 47129, 47130, 83579,
    83582, 83583, 83584
);
update eve_type set squadron_size = 9 where type_id in (
    45671, 47035, 47138, 47139, 47140, 47141, 47142, 47143, 47144
);
update eve_type set squadron_size = 12 where type_id in (
    40358, 40359, 40360, 40361, 40552, 40553, 40554, 40555, 45669, 47036, 47145, 47146, 47147, 47148, 47149,
    47150, 47151, 83585, 83586, 83587, 83589
);

update eve_type set service_slots = 1 where type_id in (
    35840, 35841, 35845, 37534, 37535, 37536, 81826
);
update eve_type set service_slots = 3 where type_id in (
    35825, 35832, 35835
);
update eve_type set service_slots = 4 where type_id in (
    35828
);
update eve_type set service_slots = 5 where type_id in (
    35826, 35829, 35833, 35836, 78260, 79172
);
update eve_type set service_slots = 6 where type_id in (
    35827, 35830, 45006
);
update eve_type set service_slots = 7 where type_id in (
    35834, 47513, 47514, 47516
);
update eve_type set service_slots = 8 where type_id in (
    40340, 47512, 47515
);

update eve_type set high_slots = 0, mid_slots = 0, low_slots = 1 where type_id in (
    45610, 45613, 45616, 45619
);
update eve_type set high_slots = 0, mid_slots = 0, low_slots = 2 where type_id in (
    45611, 45617, 45620
);
update eve_type set high_slots = 0, mid_slots = 1, low_slots = 1 where type_id in (
    45612, 45614, 45618
);
update eve_type set high_slots = 0, mid_slots = 1, low_slots = 3 where type_id in (
    45587, 45593, 45623, 45632
);
update eve_type set high_slots = 0, mid_slots = 2, low_slots = 0 where type_id in (
    45615, 45621
);
update eve_type set high_slots = 0, mid_slots = 2, low_slots = 2 where type_id in (
    45588, 45590, 45594, 45596, 45597, 45622, 45624, 45626, 45628, 45629, 45630, 45631
);
update eve_type set high_slots = 0, mid_slots = 3, low_slots = 1 where type_id in (
    45591, 45625, 45627, 45633
);
update eve_type set high_slots = 1, mid_slots = 1, low_slots = 2 where type_id in (
    45586, 45592
);
update eve_type set high_slots = 1, mid_slots = 2, low_slots = 1 where type_id in (
    45595
);
update eve_type set high_slots = 1, mid_slots = 3, low_slots = 0 where type_id in (
    45589
);
update eve_type set high_slots = 6, mid_slots = 0, low_slots = 0 where type_id in (
    45605
);
update eve_type set high_slots = 7, mid_slots = 0, low_slots = 0 where type_id in (
    45598, 45599, 45600, 45601, 45602, 45603, 45604, 45606, 45607, 45608, 45609
);
