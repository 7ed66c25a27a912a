"""The Streamlit dashboard over melanoma_core."""
