//! The tables as Diesel sees them: the same on every store (`migrations/`).

diesel::table! {
    meta (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    counters (id) {
        id -> Integer,
        revision -> BigInt,
        event -> BigInt,
        alert -> BigInt,
        incident -> BigInt,
        page -> BigInt,
        attempt -> BigInt,
        settled -> BigInt,
        silence -> BigInt,
        mirror -> BigInt,
    }
}

diesel::table! {
    event (id) {
        id -> BigInt,
        integration -> Text,
        received_at -> BigInt,
        idem_key -> Nullable<Text>,
        size_bytes -> BigInt,
        unpaged -> SmallInt,
        doc -> Text,
        body -> Binary,
    }
}

diesel::table! {
    incident_event (incident, event) {
        incident -> BigInt,
        event -> BigInt,
    }
}

diesel::table! {
    incident (id) {
        id -> BigInt,
        version -> BigInt,
        state -> Text,
        severity -> SmallInt,
        title -> Text,
        host -> Nullable<Text>,
        ip -> Nullable<Text>,
        integration -> Text,
        team -> Nullable<Text>,
        opened_at -> BigInt,
        updated_at -> BigInt,
        resolved_at -> Nullable<BigInt>,
        live -> SmallInt,
        search -> Text,
        doc -> Text,
    }
}

diesel::table! {
    alert (id) {
        id -> BigInt,
        incident -> BigInt,
        integration -> Text,
        dedup_key -> Text,
        first_at -> BigInt,
        closed_at -> Nullable<BigInt>,
        doc -> Text,
    }
}

diesel::table! {
    timeline (incident, seq) {
        incident -> BigInt,
        seq -> BigInt,
        at -> BigInt,
        doc -> Text,
    }
}

diesel::table! {
    config_version (version) {
        version -> BigInt,
        at -> BigInt,
        actor -> Text,
        toml -> Text,
    }
}

diesel::table! {
    account (login_key) {
        login_key -> Text,
        login -> Text,
        name -> Text,
        role -> Text,
        person -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        disabled -> SmallInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    session (id) {
        id -> BigInt,
        token_hash -> Text,
        account -> Text,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
        user_agent -> Text,
        peer -> Text,
    }
}

diesel::table! {
    token (id) {
        id -> BigInt,
        kind -> Text,
        name -> Text,
        integration -> Nullable<Text>,
        role -> Nullable<Text>,
        hash -> Text,
        hint -> Text,
        created_at -> BigInt,
        created_by -> Text,
        last_used_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit (id) {
        id -> BigInt,
        at -> BigInt,
        actor -> Text,
        action -> Text,
        object -> Text,
        detail -> Text,
        outcome -> Text,
        prev_hash -> Text,
        hash -> Text,
    }
}

diesel::table! {
    shift (schedule, from_at) {
        schedule -> Text,
        from_at -> BigInt,
        until_at -> BigInt,
        doc -> Text,
    }
}

diesel::table! {
    swap (id) {
        id -> BigInt,
        state -> Text,
        doc -> Text,
    }
}

diesel::table! {
    device_session (id) {
        id -> BigInt,
        token_hash -> Text,
        previous_hash -> Nullable<Text>,
        previous_until -> Nullable<BigInt>,
        account -> Text,
        device -> BigInt,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    pairing (code_hash) {
        code_hash -> Text,
        session -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    mobile_answer (key_hash) {
        key_hash -> Text,
        device -> BigInt,
        asked_hash -> Text,
        at -> BigInt,
        status -> Nullable<BigInt>,
        body -> Text,
    }
}

diesel::joinable!(session -> account (account));
diesel::joinable!(device_session -> account (account));
diesel::joinable!(device_session -> device (device));
diesel::joinable!(pairing -> session (session));
diesel::allow_tables_to_appear_in_same_query!(session, account, device_session, device, pairing);
diesel::allow_tables_to_appear_in_same_query!(incident_event, event);

diesel::table! {
    device (id) {
        id -> BigInt,
        endpoint -> Text,
        person -> Text,
        doc -> Text,
    }
}

diesel::table! {
    silence (id) {
        id -> BigInt,
        live -> SmallInt,
        ended_at -> Nullable<BigInt>,
        doc -> Text,
    }
}

diesel::table! {
    readiness (schedule, person, begins) {
        schedule -> Text,
        person -> Text,
        begins -> BigInt,
        doc -> Text,
    }
}

diesel::table! {
    level_turn (policy, level) {
        policy -> Text,
        level -> BigInt,
        doc -> Text,
    }
}

diesel::table! {
    heartbeat (id) {
        id -> Text,
        doc -> Text,
    }
}

diesel::table! {
    contact_send (person, contact) {
        person -> Text,
        contact -> Text,
        doc -> Text,
    }
}

diesel::table! {
    storm (id) {
        id -> BigInt,
        live -> SmallInt,
        doc -> Text,
    }
}

diesel::table! {
    calendar_copy (url) {
        url -> Text,
        doc -> Text,
        copy -> Nullable<Text>,
    }
}

diesel::table! {
    inventory (source, part) {
        source -> Text,
        part -> BigInt,
        seen_at -> BigInt,
        doc -> Text,
    }
}

diesel::table! {
    vm_move (id) {
        id -> BigInt,
        source -> Text,
        vm -> Text,
        at -> BigInt,
        doc -> Text,
    }
}

diesel::table! {
    alert_place (alert) {
        alert -> BigInt,
        at -> BigInt,
        doc -> Text,
    }
}

diesel::table! {
    mirror (id) {
        id -> BigInt,
        incident -> Nullable<BigInt>,
        live -> SmallInt,
        created_at -> BigInt,
        idem_key -> Nullable<Text>,
        doc -> Text,
    }
}

diesel::table! {
    host (id) {
        id -> BigInt,
        name -> Text,
        seen_at -> BigInt,
        doc -> Text,
    }
}

diesel::table! {
    host_part (host, step, at, feed) {
        host -> BigInt,
        step -> BigInt,
        at -> BigInt,
        feed -> Text,
        body -> Binary,
    }
}

diesel::table! {
    delivery (id) {
        id -> BigInt,
        incident -> BigInt,
        recipient -> Text,
        channel -> Text,
        provider -> Text,
        state -> Text,
        severity -> SmallInt,
        sent_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        fault -> Nullable<Text>,
        doc -> Text,
    }
}

diesel::table! {
    proof (id) {
        id -> BigInt,
        at -> BigInt,
        kind -> Text,
        incident -> BigInt,
        attempt_key -> Text,
        actor -> Text,
        what -> Text,
        content -> Text,
        prev_hash -> Text,
        hash -> Text,
    }
}

diesel::table! {
    broken_contact (person, contact) {
        person -> Text,
        contact -> Text,
        doc -> Text,
    }
}
