//! What Meta demands of a creative, and an account's images and labels.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use graph_sim::seed;
use serde_json::{Value, json};

use crate::ad_writer::{PICTURE, Writer, blamed, story};
use crate::client::{CATERING, CHECK_UP};

/// The story with a member of `link_data` replaced.
fn with_link(hash: &str, name: &str, value: Value) -> Value {
    let mut story = story(hash);
    story["link_data"][name] = value;
    json!({ "object_story_spec": story })
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let writer = Writer::start().await;
    let hash = writer.picture().await;
    let form = |id: &str| json!({"type": "SIGN_UP", "value": {"lead_gen_form_id": id}});
    let video = |more: Value| {
        let mut data = json!({"video_id": "9", "call_to_action": form(CHECK_UP)});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"object_story_spec": {"page_id": seed::DENTAL, "video_data": data}})
    };
    let spec = "object_story_spec";
    let link = "object_story_spec.link_data";
    for (more, subcode, path) in [
        (json!({}), Some(1_487_390), spec.to_owned()),
        (json!({"object_story_spec": {"link_data": {}}}), Some(1_443_048), spec.to_owned()),
        (json!({"object_story_spec": {"page_id": seed::DENTAL}}), Some(1_443_048), spec.to_owned()),
        (with_link(&hash, "link", Value::Null), Some(2_061_015), format!("{link}.link")),
        (with_link(&hash, "link", json!("fb.me")), None, format!("{link}.link")),
        (with_link(&hash, "image_hash", json!("77")), None, format!("{link}.image_hash")),
        (json!({"image_hash": "77"}), None, "image_hash".to_owned()),
        (
            with_link(&hash, "call_to_action", json!({"value": {}})),
            Some(1_443_048),
            format!("{link}.call_to_action.type"),
        ),
        (
            with_link(&hash, "call_to_action", json!({"type": "SHOP_NOW", "value": {"lead_gen_form_id": CHECK_UP}})),
            None,
            format!("{link}.call_to_action.type"),
        ),
        (
            with_link(&hash, "call_to_action", form(CATERING)),
            None,
            format!("{link}.call_to_action.value.lead_gen_form_id"),
        ),
        (video(json!({})), Some(1_443_226), "object_story_spec.video_data".to_owned()),
        (
            json!({"object_story_spec": story(&hash),
                   "degrees_of_freedom_spec": {"creative_features_spec": {"standard_enhancements": {}}}}),
            Some(3_858_504),
            "degrees_of_freedom_spec.creative_features_spec.standard_enhancements".to_owned(),
        ),
    ] {
        let answer = writer.write("adcreatives", json!({"name": "C"}), more.clone()).await;
        assert_eq!(blamed(&answer), (subcode, path), "{more}");
    }
    let made = writer.write("adcreatives", json!({"name": "C"}), video(json!({"image_hash": hash}))).await;
    assert_eq!(writer.read(made.json["id"].as_str().unwrap(), "object_type").await["object_type"], "VIDEO");
    writer.meta.sim("forms", json!({"form_id": CHECK_UP, "status": "ARCHIVED"})).await;
    let archived = writer.write("adcreatives", json!({"object_story_spec": story(&hash)}), json!({})).await;
    assert_eq!(blamed(&archived).1, format!("{link}.call_to_action.value.lead_gen_form_id"));
}

#[tokio::test]
async fn instagram_accounts_are_assigned() {
    let writer = Writer::start().await;
    let hash = writer.picture().await;
    let list = writer
        .meta
        .get(&format!("/act_{}/instagram_accounts?fields=id,username", seed::AD_ACCOUNT), &writer.token)
        .await;
    let at = list.column("username").iter().position(|name| name == "harbourlanedental").expect("that of her page");
    let own = list.column("id").remove(at);
    let page = writer.meta.page(seed::DENTAL).await;
    let as_account = |name: &str, id: &str| {
        let mut story = story(&hash);
        story[name] = json!(id);
        json!({ "object_story_spec": story })
    };
    let retired = "(#100) Param instagram_actor_id must be a valid Instagram account id";
    for old in
        [as_account("instagram_actor_id", &own), json!({"instagram_actor_id": own, "object_story_spec": story(&hash)})]
    {
        let answer = writer.write("adcreatives", old, json!({})).await;
        assert_eq!((answer.error(), answer.message()), ((400, 100, None), retired));
    }
    let strange = writer.write("adcreatives", as_account("instagram_user_id", "17950"), json!({})).await;
    assert_eq!(blamed(&strange), (Some(1_815_199), "object_story_spec.instagram_user_id".to_owned()));
    assert_eq!(writer.write("adcreatives", as_account("instagram_user_id", &own), json!({})).await.status, 200);
    let account = json!({"account": {"instagram_accounts": ["17800"]}});
    writer.meta.sim(&format!("ads/{}/change", seed::AD_ACCOUNT), account).await;
    assert_eq!(writer.write("adcreatives", as_account("instagram_user_id", "17800"), json!({})).await.status, 200);
    assert_eq!(
        blamed(&writer.write("adcreatives", as_account("instagram_user_id", &own), json!({})).await).0,
        Some(1_815_199)
    );

    let edge = format!("/{}/page_backed_instagram_accounts", seed::DENTAL);
    assert_eq!(writer.meta.get(&edge, &page).await.json["data"], json!([]));
    let made = writer.meta.post(&edge, &page, &[]).await.json["id"].as_str().unwrap().to_owned();
    assert_eq!(writer.meta.post(&edge, &page, &[]).await.json["id"], json!(made), "a page has one");
    assert_eq!(writer.meta.get(&edge, &page).await.column("id"), [made.as_str()]);
    assert_eq!(writer.write("adcreatives", as_account("instagram_user_id", &made), json!({})).await.status, 200);
}

#[tokio::test]
async fn only_names_and_labels_of_a_creative_change() {
    let writer = Writer::start().await;
    let [_, adset_id, creative_id, _] = writer.chain().await;
    let path = format!("/{creative_id}");
    let other = json!({"object_story_spec": story("1")});
    assert_eq!(blamed(&writer.post(&path, other, json!({})).await).1, "object_story_spec");
    let change = json!({"name": "New", "adlabels": [{"name": "c"}]});
    assert_eq!(writer.post(&path, change, json!({})).await.json, json!({"success": true}));
    let read = writer.read(&creative_id, "name,adlabels,call_to_action_type,title,body,status,thumbnail_url").await;
    assert_eq!((&read["name"], &read["adlabels"][0]["name"]), (&json!("New"), &json!("c")));
    assert_eq!((&read["call_to_action_type"], &read["title"]), (&json!("SIGN_UP"), &json!("Free check-up")));
    assert!(read["thumbnail_url"].as_str().unwrap().starts_with("https://"));
    assert_eq!(writer.meta.delete(&path, &writer.token).await.json, json!({"success": true}));
    assert_eq!(writer.read(&creative_id, "status").await["status"], "DELETED");
    let ad = json!({"name": "A", "adset_id": adset_id, "creative": {"creative_id": creative_id}});
    assert_eq!(blamed(&writer.write("ads", ad, json!({})).await).1, "creative");
    let list = writer.meta.get(&format!("/act_{}/adcreatives", seed::AD_ACCOUNT), &writer.token).await;
    assert!(!list.column("id").contains(&creative_id));
}

#[tokio::test]
async fn an_app_in_development_gets_as_far_as_the_ad_set() {
    let writer = Writer::start().await;
    let [campaign_id, adset_id, creative_id, _] = writer.chain().await;
    let hash = writer.picture().await;
    writer.meta.sim("app", json!({"mode": "development"})).await;
    assert_eq!(writer.write("adsets", crate::ad_writer::adset(&campaign_id), json!({})).await.status, 200);
    let creative = writer.write("adcreatives", json!({"object_story_spec": story(&hash)}), json!({})).await;
    assert_eq!(blamed(&creative).0, Some(1_885_183));
    let ad = json!({"name": "A", "adset_id": adset_id, "creative": {"creative_id": creative_id}});
    assert_eq!(blamed(&writer.write("ads", ad, json!({})).await).0, Some(1_885_183));
}

#[tokio::test]
async fn images_are_known_by_their_content() {
    let writer = Writer::start().await;
    let hash = writer.picture().await;
    assert_eq!((hash.len(), writer.picture().await), (32, hash.clone()));
    let edge = format!("/act_{}/adimages", seed::AD_ACCOUNT);
    let bytes = STANDARD.decode(PICTURE).unwrap();
    let upload = async |bytes: &[u8]| {
        writer.meta.post_files(&edge, &writer.token, &[], &[("filename", "image/png", bytes)]).await
    };
    assert_eq!(upload(&bytes).await.json["images"]["file"]["hash"], json!(hash), "by the name of the file");
    assert_eq!(blamed(&upload(b"text").await), (Some(1_487_411), "filename".to_owned()));
    let list =
        writer.meta.get(&format!("{edge}?fields=hash,name,width,height,url&hashes=[\"{hash}\"]"), &writer.token).await;
    assert_eq!((list.column("hash"), &list.json["data"][0]["width"]), (vec![hash.clone()], &json!(1)));
    let none = writer.meta.get(&format!("{edge}?hashes=[\"77\"]"), &writer.token).await;
    assert_eq!(none.json["data"], json!([]));
    for wrong in ["", "aGVsbG8=", &PICTURE[4..]] {
        let answer = writer.write("adimages", json!({"bytes": wrong}), json!({})).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text);
    }
    let answer = writer.write("adimages", json!({"bytes": "aGVsbG8="}), json!({})).await;
    assert_eq!(blamed(&answer), (Some(1_487_411), "bytes".to_owned()));
    let removed = writer.meta.delete(&format!("{edge}?hash={hash}"), &writer.token).await;
    assert_eq!(removed.json, json!({"success": true}));
    let gone = writer.write("adcreatives", json!({"object_story_spec": story(&hash)}), json!({})).await;
    assert_eq!(blamed(&gone).1, "object_story_spec.link_data.image_hash");
}

#[tokio::test]
async fn objects_are_found_by_their_labels() {
    let writer = Writer::start().await;
    let [campaign_id, adset_id, creative_id, ad_id] = writer.chain().await;
    let label = writer.make("adlabels", json!({"name": "req-k7f3"})).await;
    assert_eq!(writer.make("adlabels", json!({"name": "req-k7f3"})).await, label, "a name is one label");
    let other = writer.make("adlabels", json!({"name": "other"})).await;
    for id in [&campaign_id, &adset_id, &creative_id, &ad_id] {
        let answer = writer.post(&format!("/{id}/adlabels"), json!({"adlabels": [{"id": label}]}), json!({})).await;
        assert_eq!(answer.json, json!({"success": true}));
        let unknown = writer.post(&format!("/{id}/adlabels"), json!({"adlabels": [{"id": "77"}]}), json!({})).await;
        assert_eq!(blamed(&unknown).1, "adlabels");
    }
    let get = async |path: String| writer.meta.get(&format!("/act_{}/{path}", seed::AD_ACCOUNT), &writer.token).await;
    assert_eq!(get("adlabels?fields=id,name".to_owned()).await.column("name"), ["other", "req-k7f3"]);
    for (edge, id) in [
        ("campaignsbylabels", &campaign_id),
        ("adsetsbylabels", &adset_id),
        ("adcreativesbylabels", &creative_id),
        ("adsbylabels", &ad_id),
    ] {
        let found = get(format!("{edge}?ad_label_ids=[\"{label}\"]&fields=id,name")).await;
        assert_eq!(found.column("id"), [id.as_str()], "{edge}");
        let both = format!("[\"{label}\",\"{other}\"]");
        assert_eq!(get(format!("{edge}?ad_label_ids={both}")).await.column("id"), [id.as_str()]);
        assert_eq!(get(format!("{edge}?ad_label_ids={both}&operator=ALL")).await.json["data"], json!([]));
        assert_eq!(get(edge.to_owned()).await.error(), (400, 100, None));
    }
    let read = writer.read(&label, "name,account,created_time").await;
    assert_eq!((&read["name"], &read["account"]["account_id"]), (&json!("req-k7f3"), &json!(seed::AD_ACCOUNT)));
    writer.post(&format!("/{label}"), json!({"name": "renamed"}), json!({})).await;
    assert_eq!(writer.read(&ad_id, "adlabels").await["adlabels"][0]["name"], "renamed");
    assert_eq!(writer.meta.delete(&format!("/{label}"), &writer.token).await.json, json!({"success": true}));
    assert_eq!(writer.read(&ad_id, "adlabels").await, json!({"id": ad_id}));
    let calls = writer.meta.sim_get("stats").await["calls"].clone();
    assert_eq!((&calls["POST /{ad}/adlabels"], &calls["POST /{adlabel}"]), (&json!(2), &json!(1)));
}
