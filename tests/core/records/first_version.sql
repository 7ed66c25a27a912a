BEGIN TRANSACTION;
CREATE TABLE acknowledgement (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32) NOT NULL, 
	histology_id VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_acknowledgement PRIMARY KEY (id, version), 
	CONSTRAINT fk_acknowledgement_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_acknowledgement_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_acknowledgement_histology_id FOREIGN KEY(histology_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "acknowledgement" VALUES('c4b663a78b3e400790a0e7b7ce1add60',1,'dr.a','2026-11-27 20:46:36.951207','','f3c6993d4faf79e9fbacf139c0ac908d','1cb3eaf3b7bc4aac8e086a191507a8b4','d2adcdc4e5174107b65fc1c75bb7786f');
CREATE TABLE ai_reading (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32) NOT NULL, 
	visit_id VARCHAR(32) NOT NULL, 
	model_id TEXT NOT NULL, 
	app_version TEXT NOT NULL, 
	class_names JSON NOT NULL, 
	probabilities JSON NOT NULL, 
	melanoma_threshold DOUBLE NOT NULL, 
	skin_cancer_threshold DOUBLE, 
	prevalence JSON, 
	adapted JSON NOT NULL, 
	melanoma_alert BOOLEAN NOT NULL, 
	skin_cancer_alert BOOLEAN, 
	statement TEXT NOT NULL, 
	photographs JSON NOT NULL, 
	CONSTRAINT pk_ai_reading PRIMARY KEY (id, version), 
	CONSTRAINT fk_ai_reading_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_ai_reading_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_ai_reading_visit_id FOREIGN KEY(visit_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "ai_reading" VALUES('f609c397c13e414aa301bb026423f041',1,'dr.a','2026-11-27 20:46:36.951207','','2fb02d5d2b73a11c350560f6d6f030bd','1cb3eaf3b7bc4aac8e086a191507a8b4','d9b37bb3117f41a9816c5948beeb8a25','model','0.2.0','["MEL", "NV"]','[0.8, 0.2]',0.11,0.3,'[0.02, 0.08]','[0.1, 0.9]',1,1,'Melanoma cannot be excluded.','[{"photograph_id": "37a54aeaf5a3492da8200bc5f8ceb854", "probabilities": [0.8, 0.2], "uncalibrated": [0.9, 0.1], "refusal": "", "findings": ["hair"], "novelty": 0.25, "read_anyway": false, "heatmap_sha256": "c2240b6948b239f57d835a115063ee270bd9ed9ab515d4c4a831ceaf15f4d525", "sharpness": null, "brightness": null, "contrast": null}]');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE decision (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32) NOT NULL, 
	visit_id VARCHAR(32) NOT NULL, 
	management TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	ai_reading_id VARCHAR(32), 
	CONSTRAINT pk_decision PRIMARY KEY (id, version), 
	CONSTRAINT fk_decision_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_decision_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_decision_visit_id FOREIGN KEY(visit_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_decision_ai_reading_id FOREIGN KEY(ai_reading_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "decision" VALUES('e6439bcc97f94045ab0ab66c328060ea',1,'dr.a','2026-11-27 20:46:36.951207','','7910c597870071c24b553a281c4e21e7','1cb3eaf3b7bc4aac8e086a191507a8b4','d9b37bb3117f41a9816c5948beeb8a25','excision','ugly','f609c397c13e414aa301bb026423f041');
CREATE TABLE entity (
	id VARCHAR(32) NOT NULL, 
	kind TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	CONSTRAINT pk_entity PRIMARY KEY (id)
);
INSERT INTO "entity" VALUES('c9c163b93ed64c1f89ac0fc34536b26d','Patient',2);
INSERT INTO "entity" VALUES('1cb3eaf3b7bc4aac8e086a191507a8b4','Lesion',3);
INSERT INTO "entity" VALUES('d9b37bb3117f41a9816c5948beeb8a25','Visit',4);
INSERT INTO "entity" VALUES('37a54aeaf5a3492da8200bc5f8ceb854','Photograph',5);
INSERT INTO "entity" VALUES('ae74de7d6c884d29b1e51ffd75cbee9e','Outline',6);
INSERT INTO "entity" VALUES('90f413b3ab23432786f74bc6ab155ed5','FirstRead',7);
INSERT INTO "entity" VALUES('f609c397c13e414aa301bb026423f041','AiReading',8);
INSERT INTO "entity" VALUES('e6439bcc97f94045ab0ab66c328060ea','Decision',9);
INSERT INTO "entity" VALUES('e355bbc076bb4f0ea73e761e094eb919','Specimen',10);
INSERT INTO "entity" VALUES('d2adcdc4e5174107b65fc1c75bb7786f','Histology',11);
INSERT INTO "entity" VALUES('c4b663a78b3e400790a0e7b7ce1add60','Acknowledgement',12);
INSERT INTO "entity" VALUES('532ea9bae5be409aad61d171323bbcf5','Information',13);
INSERT INTO "entity" VALUES('9fff5daeee8241e2b7eb752049a254ad','Recall',14);
CREATE TABLE erasing (
	patient_id VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_erasing PRIMARY KEY (patient_id)
);
CREATE TABLE first_read (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32) NOT NULL, 
	visit_id VARCHAR(32) NOT NULL, 
	opinion TEXT NOT NULL, 
	melanoma_probability DOUBLE, 
	management TEXT NOT NULL, 
	"order" TEXT NOT NULL, 
	seconds DOUBLE NOT NULL, 
	seven_points JSON, 
	abcd JSON, 
	CONSTRAINT pk_first_read PRIMARY KEY (id, version), 
	CONSTRAINT fk_first_read_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_first_read_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_first_read_visit_id FOREIGN KEY(visit_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "first_read" VALUES('90f413b3ab23432786f74bc6ab155ed5',1,'dr.a','2026-11-27 20:46:36.951207','','dbf3cd71b2f27e236199fe829a983075','1cb3eaf3b7bc4aac8e086a191507a8b4','d9b37bb3117f41a9816c5948beeb8a25','MEL',0.7,'excision','doctor first',12.0,'{"atypical_network": true, "blue_white_veil": false, "atypical_vessels": true, "irregular_streaks": false, "irregular_dots": false, "irregular_blotches": true, "regression": false}','{"asymmetry": 2, "border": 3, "colours": 4, "structures": 5}');
CREATE TABLE histology (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32) NOT NULL, 
	specimen_id VARCHAR(32) NOT NULL, 
	reported_on DATE NOT NULL, 
	diagnosis TEXT NOT NULL, 
	text TEXT NOT NULL, 
	breslow_mm DOUBLE, 
	ulcerated BOOLEAN, 
	mitoses_per_mm2 DOUBLE, 
	in_situ BOOLEAN, 
	margins TEXT, 
	pt TEXT NOT NULL, 
	CONSTRAINT pk_histology PRIMARY KEY (id, version), 
	CONSTRAINT fk_histology_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_histology_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_histology_specimen_id FOREIGN KEY(specimen_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "histology" VALUES('d2adcdc4e5174107b65fc1c75bb7786f',1,'dr.a','2026-11-27 20:46:36.951207','','e3532148010cb4fc5bb18af8584f5858','1cb3eaf3b7bc4aac8e086a191507a8b4','e355bbc076bb4f0ea73e761e094eb919','2026-05-11','Malignant:Malignant melanocytic proliferations (Melanoma)','Ein Melanom.
	Breslow 0,4 mm – «pT1a»',0.4,0,0.5,0,'clear','pT1a');
CREATE TABLE image_use (
	sha256 VARCHAR(64) NOT NULL, 
	entity_id VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_image_use PRIMARY KEY (sha256, entity_id), 
	CONSTRAINT fk_image_use_entity_id FOREIGN KEY(entity_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "image_use" VALUES('5142102dc769d263b58d1e297d94772a8d41d8ce6f78e964c313a37ac94a5377','37a54aeaf5a3492da8200bc5f8ceb854');
INSERT INTO "image_use" VALUES('c2240b6948b239f57d835a115063ee270bd9ed9ab515d4c4a831ceaf15f4d525','f609c397c13e414aa301bb026423f041');
CREATE TABLE information (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32) NOT NULL, 
	histology_id VARCHAR(32) NOT NULL, 
	"on" DATE NOT NULL, 
	channel TEXT NOT NULL, 
	CONSTRAINT pk_information PRIMARY KEY (id, version), 
	CONSTRAINT fk_information_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_information_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_information_histology_id FOREIGN KEY(histology_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "information" VALUES('532ea9bae5be409aad61d171323bbcf5',1,'dr.a','2026-11-27 20:46:36.951207','','d546f34ba4a4e0cae7310836ca4ed3f4','1cb3eaf3b7bc4aac8e086a191507a8b4','d2adcdc4e5174107b65fc1c75bb7786f','2026-05-12','by phone');
CREATE TABLE lesion (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	patient_id VARCHAR(32) NOT NULL, 
	label TEXT NOT NULL, 
	site TEXT NOT NULL, 
	laterality TEXT, 
	map_point JSON, 
	noticed TEXT NOT NULL, 
	changes JSON NOT NULL, 
	note TEXT NOT NULL, 
	CONSTRAINT pk_lesion PRIMARY KEY (id, version), 
	CONSTRAINT fk_lesion_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_lesion_patient_id FOREIGN KEY(patient_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "lesion" VALUES('1cb3eaf3b7bc4aac8e086a191507a8b4',1,'dr.a','2026-11-27 20:46:36.951207','','524681b27adf7fe37192e83c234f6fe1','c9c163b93ed64c1f89ac0fc34536b26d','1','Trunk:Posterior trunk:Upper back','left','{"view": "back", "x": 0.25, "y": 0.5}','2024-05','[]','=1+1');
CREATE TABLE log (
	number INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	"by" TEXT NOT NULL, 
	action TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	entry_id TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	content TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	previous TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	CONSTRAINT pk_log PRIMARY KEY (number)
);
INSERT INTO "log" VALUES(1,'2026-11-27 20:46:36.423388','dr.a','record created','','1f8718b2e20e433387c2eb2f16dab2e6',0,'','','0000000000000000000000000000000000000000000000000000000000000000','520cb2b6210e9a1dabbe369a86a152a609d0e7236e4599c9c62665f7a3bd9d94');
INSERT INTO "log" VALUES(2,'2026-11-27 20:46:36.951207','dr.a','added','Patient','c9c163b93ed64c1f89ac0fc34536b26d',1,'6b439d301aed5c1d134ae4c1816c3d4e2153eaa07fc7b89d4c139126018da9a6','','520cb2b6210e9a1dabbe369a86a152a609d0e7236e4599c9c62665f7a3bd9d94','0694343a4924a14c45bc8f745b493133dfc7f7b5ec11c839c2523604431fc3d9');
INSERT INTO "log" VALUES(3,'2026-11-27 20:46:36.951207','dr.a','added','Lesion','1cb3eaf3b7bc4aac8e086a191507a8b4',1,'aeeaf0640bc275694369ed00d27071fc7a7c8a388067b7972c8824cd07d325a0','','0694343a4924a14c45bc8f745b493133dfc7f7b5ec11c839c2523604431fc3d9','7a4a5cffe33250b4b18d8e6a6ed7344e0a58344945fa05793aa9c5bd850bb962');
INSERT INTO "log" VALUES(4,'2026-11-27 20:46:36.951207','dr.a','added','Visit','d9b37bb3117f41a9816c5948beeb8a25',1,'c56abf7c7d190f64147241d0b52288537f48139bc1fdb8f09b827125f645fab2','','7a4a5cffe33250b4b18d8e6a6ed7344e0a58344945fa05793aa9c5bd850bb962','1720b99395d2afae0cccf9cac149fe08d4a6c4b71ac95934fb9075ad273e5b87');
INSERT INTO "log" VALUES(5,'2026-11-27 20:46:36.951207','dr.a','added','Photograph','37a54aeaf5a3492da8200bc5f8ceb854',1,'d697c660f7dceb6c027cb5fb614602036558146a46467be7b80f4915d8210c12','','1720b99395d2afae0cccf9cac149fe08d4a6c4b71ac95934fb9075ad273e5b87','6fe010ee6e4080a0ffb666926683e85229b185f86f954e2a1809a994405c3c82');
INSERT INTO "log" VALUES(6,'2026-11-27 20:46:36.951207','dr.a','added','Outline','ae74de7d6c884d29b1e51ffd75cbee9e',1,'b2690b9c954ffaa7de11ff59fad885caa8cd31f799d61a84f138c0b437d12610','','6fe010ee6e4080a0ffb666926683e85229b185f86f954e2a1809a994405c3c82','b5ef4c63f518f61b1ba37f56236071c7c6ac94c8f48da281c8cf1131e450f703');
INSERT INTO "log" VALUES(7,'2026-11-27 20:46:36.951207','dr.a','added','FirstRead','90f413b3ab23432786f74bc6ab155ed5',1,'666e77c00819a9f560be7d6d43946b401d2871cc8dbd7a1cd97f00b14da22203','','b5ef4c63f518f61b1ba37f56236071c7c6ac94c8f48da281c8cf1131e450f703','ee16f8541ee6cb21a879090232ae527d720bd1606a7c684c0caf30b3f8a8b12f');
INSERT INTO "log" VALUES(8,'2026-11-27 20:46:36.951207','dr.a','added','AiReading','f609c397c13e414aa301bb026423f041',1,'d4f506a17dd151be3e976348805b1645979180a7d7b1cc8fb76ffda057d8dbc1','','ee16f8541ee6cb21a879090232ae527d720bd1606a7c684c0caf30b3f8a8b12f','1c07647466720c64a49e56088f8c45e6fb115d6e308070870c2f166d12589dec');
INSERT INTO "log" VALUES(9,'2026-11-27 20:46:36.951207','dr.a','added','Decision','e6439bcc97f94045ab0ab66c328060ea',1,'54b9f7f43ff4db01e6098135cd1e2cfc0320b830907c132a1306759351ca19eb','','1c07647466720c64a49e56088f8c45e6fb115d6e308070870c2f166d12589dec','face122fd816f38218b7f71ac71843238ba6e80667a68805e3d762fc1960bc63');
INSERT INTO "log" VALUES(10,'2026-11-27 20:46:36.951207','dr.a','added','Specimen','e355bbc076bb4f0ea73e761e094eb919',1,'cdba201320f8238af9eb38b1fc5a9a6982a2760bbad877657dadfb931feae5ac','','face122fd816f38218b7f71ac71843238ba6e80667a68805e3d762fc1960bc63','3200340be09a06e82b7aa39bf9cbdd0b23d45bff599c49df5ca0f6a89478cf1c');
INSERT INTO "log" VALUES(11,'2026-11-27 20:46:36.951207','dr.a','added','Histology','d2adcdc4e5174107b65fc1c75bb7786f',1,'5bcbac9db3b41af0f744b8af302855d92ae52cc0e04ff23d668cd1f5101fdd17','','3200340be09a06e82b7aa39bf9cbdd0b23d45bff599c49df5ca0f6a89478cf1c','c47d1d0b40b2ad0053e323fb08b200905104d32064a7ad871c14a6d836d8de4c');
INSERT INTO "log" VALUES(12,'2026-11-27 20:46:36.951207','dr.a','added','Acknowledgement','c4b663a78b3e400790a0e7b7ce1add60',1,'b28e95207faee0f48c1bcac5c612527ae2466f7e97f39c82d8161eb1495230c9','','c47d1d0b40b2ad0053e323fb08b200905104d32064a7ad871c14a6d836d8de4c','89d56af54b08abd7c79eacb2fcd62ff8bc525152c5d88305fc2813e93c5e673d');
INSERT INTO "log" VALUES(13,'2026-11-27 20:46:36.951207','dr.a','added','Information','532ea9bae5be409aad61d171323bbcf5',1,'092f295cd638908cffc9afd1b42d59fe164047eaf8e68d19956e68101772ac2a','','89d56af54b08abd7c79eacb2fcd62ff8bc525152c5d88305fc2813e93c5e673d','a3325834a3cf3ca7e0fa7940806bdb3e5ae5f1abbb1bdd43ef496d219e1b2649');
INSERT INTO "log" VALUES(14,'2026-11-27 20:46:36.951207','dr.a','added','Recall','9fff5daeee8241e2b7eb752049a254ad',1,'3a14252ff1826670f5f5b4eb11cf1246addc2f8a35c6cce52df131f7096b3fb7','','a3325834a3cf3ca7e0fa7940806bdb3e5ae5f1abbb1bdd43ef496d219e1b2649','df7d332ae265d035914a25937fe7eff8a603783083b39d3f278425a84e1b7a7a');
INSERT INTO "log" VALUES(15,'2026-11-27 20:46:37.411770','dr.b','corrected','Patient','c9c163b93ed64c1f89ac0fc34536b26d',2,'18ec0daf2a842d3abf61f01ace4fbdce9947272067632e6af1d0e79ec3fcdc79','','df7d332ae265d035914a25937fe7eff8a603783083b39d3f278425a84e1b7a7a','821532079ac1ec8b6db678b88ec2365e8e460640eb8ec743911e17983571e70b');
CREATE TABLE outline (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	photograph_id VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32) NOT NULL, 
	points JSON NOT NULL, 
	source TEXT NOT NULL, 
	model_id TEXT NOT NULL, 
	CONSTRAINT pk_outline PRIMARY KEY (id, version), 
	CONSTRAINT fk_outline_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_outline_photograph_id FOREIGN KEY(photograph_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_outline_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "outline" VALUES('ae74de7d6c884d29b1e51ffd75cbee9e',1,'dr.a','2026-11-27 20:46:36.951207','','54b9635cf908da4f46ceabe963143c48','37a54aeaf5a3492da8200bc5f8ceb854','1cb3eaf3b7bc4aac8e086a191507a8b4','[[0.1, 0.2], [0.5, 0.3333333333333333], [0.3, 1]]','network','model');
CREATE TABLE patient (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	pseudonym TEXT NOT NULL, 
	birth_year INTEGER, 
	sex TEXT, 
	skin_type TEXT, 
	melanoma_before BOOLEAN, 
	melanoma_in_family BOOLEAN, 
	immunosuppressed BOOLEAN, 
	num_nevi TEXT, 
	CONSTRAINT pk_patient PRIMARY KEY (id, version), 
	CONSTRAINT fk_patient_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "patient" VALUES('c9c163b93ed64c1f89ac0fc34536b26d',1,'dr.a','2026-11-27 20:46:36.951207','','ba473c85e8a41a764f0b440b5e5b826b','P-1',1960,'female','II',0,1,NULL,'41–60');
INSERT INTO "patient" VALUES('c9c163b93ed64c1f89ac0fc34536b26d',2,'dr.b','2026-11-27 20:46:37.411770','','80fa2c27ec5be5b59d7f4b33a1f7d7c3','P-1',1961,'female','II',0,1,NULL,'41–60');
CREATE TABLE photograph (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	patient_id VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32), 
	visit_id VARCHAR(32) NOT NULL, 
	sha256 TEXT NOT NULL, 
	media_type TEXT NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	dermoscopic_type TEXT, 
	device TEXT NOT NULL, 
	taken_on DATE, 
	millimetres_per_pixel DOUBLE, 
	shows_specimen_site BOOLEAN NOT NULL, 
	CONSTRAINT pk_photograph PRIMARY KEY (id, version), 
	CONSTRAINT fk_photograph_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_photograph_patient_id FOREIGN KEY(patient_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_photograph_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_photograph_visit_id FOREIGN KEY(visit_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "photograph" VALUES('37a54aeaf5a3492da8200bc5f8ceb854',1,'dr.a','2026-11-27 20:46:36.951207','','d1e55d71c13034b58222a6086208d419','c9c163b93ed64c1f89ac0fc34536b26d','1cb3eaf3b7bc4aac8e086a191507a8b4','d9b37bb3117f41a9816c5948beeb8a25','5142102dc769d263b58d1e297d94772a8d41d8ce6f78e964c313a37ac94a5377','image/jpeg',600,450,'dermoscopic','contact polarized','DermLite','2026-05-04',0.02,0);
CREATE TABLE recall (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	patient_id VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32), 
	due_on DATE NOT NULL, 
	reason TEXT NOT NULL, 
	status TEXT NOT NULL, 
	CONSTRAINT pk_recall PRIMARY KEY (id, version), 
	CONSTRAINT fk_recall_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_recall_patient_id FOREIGN KEY(patient_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_recall_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "recall" VALUES('9fff5daeee8241e2b7eb752049a254ad',1,'dr.a','2026-11-27 20:46:36.951207','','385678049ae29656522e2aba5f061bdd','c9c163b93ed64c1f89ac0fc34536b26d','1cb3eaf3b7bc4aac8e086a191507a8b4','2026-11-04','follow-up','open');
CREATE TABLE removal (
	sha256 VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_removal PRIMARY KEY (sha256)
);
CREATE TABLE specimen (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32) NOT NULL, 
	number TEXT NOT NULL, 
	taken_on DATE NOT NULL, 
	method TEXT NOT NULL, 
	decision_id VARCHAR(32), 
	photograph_id VARCHAR(32), 
	CONSTRAINT pk_specimen PRIMARY KEY (id, version), 
	CONSTRAINT fk_specimen_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_specimen_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_specimen_decision_id FOREIGN KEY(decision_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_specimen_photograph_id FOREIGN KEY(photograph_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "specimen" VALUES('e355bbc076bb4f0ea73e761e094eb919',1,'dr.a','2026-11-27 20:46:36.951207','','f4ab3514c835faee8dd04abe850965a7','1cb3eaf3b7bc4aac8e086a191507a8b4','H-1','2026-05-04','excision','e6439bcc97f94045ab0ab66c328060ea','37a54aeaf5a3492da8200bc5f8ceb854');
CREATE TABLE task (
	id INTEGER NOT NULL, 
	patient_id VARCHAR(32) NOT NULL, 
	lesion_id VARCHAR(32), 
	entry_id TEXT NOT NULL, 
	task TEXT NOT NULL, 
	rank INTEGER NOT NULL, 
	due_on DATE NOT NULL, 
	pseudonym TEXT NOT NULL, 
	label TEXT NOT NULL, 
	site TEXT NOT NULL, 
	searched TEXT NOT NULL, 
	CONSTRAINT pk_task PRIMARY KEY (id), 
	CONSTRAINT fk_task_patient_id FOREIGN KEY(patient_id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_task_lesion_id FOREIGN KEY(lesion_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "task" VALUES(1,'c9c163b93ed64c1f89ac0fc34536b26d','1cb3eaf3b7bc4aac8e086a191507a8b4','9fff5daeee8241e2b7eb752049a254ad','recall due',-3,'2026-11-04','P-1','1','Trunk:Posterior trunk:Upper back','p-1
1
trunk:posterior trunk:upper back');
CREATE TABLE visit (
	id VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	withdrawn TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	patient_id VARCHAR(32) NOT NULL, 
	"on" DATE NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_visit PRIMARY KEY (id, version), 
	CONSTRAINT fk_visit_id FOREIGN KEY(id) REFERENCES entity (id) DEFERRABLE, 
	CONSTRAINT fk_visit_patient_id FOREIGN KEY(patient_id) REFERENCES entity (id) DEFERRABLE
);
INSERT INTO "visit" VALUES('d9b37bb3117f41a9816c5948beeb8a25',1,'dr.a','2026-11-27 20:46:36.951207','','ce4a72ce68da7ce144783e3cc1fc849c','c9c163b93ed64c1f89ac0fc34536b26d','2026-05-04','check-up');
CREATE INDEX ix_log_hash ON log (hash);
CREATE INDEX ix_log_entry_id ON log (entry_id, version);
CREATE INDEX ix_image_use_entity_id ON image_use (entity_id);
CREATE INDEX ix_task_lesion_id ON task (lesion_id);
CREATE INDEX ix_task_patient_id ON task (patient_id);
CREATE INDEX ix_task_rank ON task (rank, due_on, pseudonym, label, id);
CREATE INDEX ix_patient_pseudonym ON patient (pseudonym);
CREATE INDEX ix_lesion_patient_id ON lesion (patient_id);
CREATE INDEX ix_visit_patient_id ON visit (patient_id);
CREATE INDEX ix_photograph_visit_id ON photograph (visit_id);
CREATE INDEX ix_photograph_patient_id ON photograph (patient_id);
CREATE INDEX ix_photograph_lesion_id ON photograph (lesion_id);
CREATE INDEX ix_outline_lesion_id ON outline (lesion_id);
CREATE INDEX ix_outline_photograph_id ON outline (photograph_id);
CREATE INDEX ix_first_read_lesion_id ON first_read (lesion_id);
CREATE INDEX ix_first_read_visit_id ON first_read (visit_id);
CREATE INDEX ix_ai_reading_lesion_id ON ai_reading (lesion_id);
CREATE INDEX ix_ai_reading_visit_id ON ai_reading (visit_id);
CREATE INDEX ix_decision_lesion_id ON decision (lesion_id);
CREATE INDEX ix_decision_ai_reading_id ON decision (ai_reading_id);
CREATE INDEX ix_decision_visit_id ON decision (visit_id);
CREATE INDEX ix_specimen_decision_id ON specimen (decision_id);
CREATE INDEX ix_specimen_photograph_id ON specimen (photograph_id);
CREATE INDEX ix_specimen_lesion_id ON specimen (lesion_id);
CREATE INDEX ix_histology_lesion_id ON histology (lesion_id);
CREATE INDEX ix_histology_specimen_id ON histology (specimen_id);
CREATE INDEX ix_acknowledgement_lesion_id ON acknowledgement (lesion_id);
CREATE INDEX ix_acknowledgement_histology_id ON acknowledgement (histology_id);
CREATE INDEX ix_information_lesion_id ON information (lesion_id);
CREATE INDEX ix_information_histology_id ON information (histology_id);
CREATE INDEX ix_recall_patient_id ON recall (patient_id);
CREATE INDEX ix_recall_lesion_id ON recall (lesion_id);
CREATE TRIGGER entity_no_update BEFORE UPDATE ON entity BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER entity_no_delete BEFORE DELETE ON entity WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER image_use_no_update BEFORE UPDATE ON image_use BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER image_use_no_delete BEFORE DELETE ON image_use WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER patient_no_update BEFORE UPDATE ON patient BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER patient_no_delete BEFORE DELETE ON patient WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER lesion_no_update BEFORE UPDATE ON lesion BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER lesion_no_delete BEFORE DELETE ON lesion WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER visit_no_update BEFORE UPDATE ON visit BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER visit_no_delete BEFORE DELETE ON visit WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER photograph_no_update BEFORE UPDATE ON photograph BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER photograph_no_delete BEFORE DELETE ON photograph WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER outline_no_update BEFORE UPDATE ON outline BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER outline_no_delete BEFORE DELETE ON outline WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER first_read_no_update BEFORE UPDATE ON first_read BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER first_read_no_delete BEFORE DELETE ON first_read WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER ai_reading_no_update BEFORE UPDATE ON ai_reading BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER ai_reading_no_delete BEFORE DELETE ON ai_reading WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER specimen_no_update BEFORE UPDATE ON specimen BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER specimen_no_delete BEFORE DELETE ON specimen WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER histology_no_update BEFORE UPDATE ON histology BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER histology_no_delete BEFORE DELETE ON histology WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER acknowledgement_no_update BEFORE UPDATE ON acknowledgement BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER acknowledgement_no_delete BEFORE DELETE ON acknowledgement WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER information_no_update BEFORE UPDATE ON information BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER information_no_delete BEFORE DELETE ON information WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER recall_no_update BEFORE UPDATE ON recall BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER recall_no_delete BEFORE DELETE ON recall WHEN NOT EXISTS (SELECT 1 FROM erasing) BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER log_no_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'an entry of the record is never changed'); END;
COMMIT;
